import { type ChildProcess, spawn, spawnSync } from 'node:child_process';

/** Runs the command behind it as the first process of a namespace of process numbers, as in a container; ends with it. */
export const IN_CONTAINER = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'] as const;

/** True where namespaces can be made: on Linux, as root. */
export function hasContainers(): boolean {
  const [command, ...flags] = IN_CONTAINER;
  return spawnSync(command, [...flags, 'true']).status === 0;
}

/** A container that does nothing: it takes the number of a namespace that has just ended. End it with SIGKILL. */
export function startIdleContainer(): ChildProcess {
  const [command, ...flags] = IN_CONTAINER;
  return spawn(command, [...flags, 'sleep', '600'], { stdio: 'ignore' });
}
