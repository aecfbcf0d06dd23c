import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { sendEncoded } from './encoded.ts';

const folder = join(import.meta.dirname, '../assets');
const TYPES: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** A file that pages use, with its encodings made once. */
type Asset = {
  readonly path: string;
  readonly type: string;
  readonly plain: Buffer;
  readonly br: Buffer;
  readonly gzip: Buffer;
};

/** Reads the assets and names each by the hash of its content. */
export function loadAssets(): ReadonlyMap<string, Asset> {
  return new Map(
    readdirSync(folder).map((name) => {
      const plain = readFileSync(join(folder, name));
      const [stem, extension = ''] = name.split('.');
      const hash = createHash('sha256').update(plain).digest('base64url').slice(0, 10);
      const path = `/assets/${stem}.${hash}.${extension}`;
      const type = TYPES[extension] ?? 'application/octet-stream';
      return [name, { path, type, plain, br: brotliCompressSync(plain), gzip: gzipSync(plain) }];
    }),
  );
}

/** Serves the assets, for ever: a changed file has another name. */
export function registerAssets(app: FastifyInstance, assets: ReadonlyMap<string, Asset>): void {
  for (const asset of assets.values())
    app.get(asset.path, (request, reply) => {
      void reply.header('cache-control', 'public, max-age=31536000, immutable').type(asset.type);
      return sendEncoded(request, reply, asset);
    });
}
