import { html } from 'ghtml';
import type { Site } from '../site.ts';
import type { Html, Page } from './layout.ts';

/** The part of an OpenAPI document that the page shows. */
type Document = {
  readonly info: { readonly description?: string };
  readonly paths?: Record<string, unknown>;
  readonly components?: { readonly schemas?: Record<string, unknown> };
};
type Operation = {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly security?: unknown;
  readonly parameters?: readonly { name: string; in: string; required?: boolean; description?: string }[];
  readonly requestBody?: { readonly content?: Record<string, { schema?: unknown }> };
};

/** The readable reference of the API, made from its OpenAPI description. */
export function apiReferencePage(site: Site, document: Document): Page {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Operation>).map(([method, operation]) => ({
      path,
      method,
      operation,
    })),
  );
  const schemas = document.components?.schemas ?? {};
  return {
    title: 'API',
    description: 'The HTTP API: papers, topics and subscribers.',
    canonical: '/api',
    body: html`<h1>API</h1>
<p class="lead">${document.info.description}</p>
<p><a href="${site.base}/api/openapi.json">OpenAPI 3.1 description</a></p>
<pre tabindex="0"><code>curl -H 'Authorization: Bearer pb_…' ${site.origin}${site.base}/api/v1/subscribers</code></pre>
!${operations.map(({ path, method, operation }) => operationSection(path, method, operation, schemas))}`,
  };
}

function operationSection(
  path: string,
  method: string,
  operation: Operation,
  schemas: Readonly<Record<string, unknown>>,
): Html {
  const body = spelledOut(operation.requestBody?.content?.['application/json']?.schema, schemas);
  return html`<section id="${operation.operationId}"><h2>${operation.summary}</h2>
<p><code>${method.toUpperCase()} ${path}</code>!${operation.security ? ' <span class="chip">API key</span>' : ''}</p>
!${operation.description ? html`<p>${operation.description}</p>` : ''}
!${parameterTable(operation)}
!${body ? html`<details><summary>Body</summary><pre tabindex="0"><code>${JSON.stringify(body, null, 2)}</code></pre></details>` : ''}
</section>
`;
}

/** A schema with what it refers to in its place: a person reads on, a generator looks it up. */
function spelledOut(schema: unknown, schemas: Readonly<Record<string, unknown>>): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map((one) => spelledOut(one, schemas));
  if ('$ref' in schema) return spelledOut(schemas[String(schema.$ref).split('/').at(-1) ?? ''], schemas);
  return Object.fromEntries(Object.entries(schema).map(([key, one]) => [key, spelledOut(one, schemas)]));
}

function parameterTable({ parameters = [] }: Operation): Html {
  if (parameters.length === 0) return '';
  return html`<div class="table"><table><thead><tr><th scope="col">Parameter</th><th scope="col">In</th><th scope="col">Meaning</th></tr></thead>
<tbody>!${parameters.map((one) => html`<tr><td><code>${one.name}</code>${one.required ? ' (needed)' : ''}</td><td>${one.in}</td><td>${one.description}</td></tr>`)}</tbody></table></div>`;
}
