/** Binds the contracts of documents to their services. No rules here. */

import type { RouteSpec } from '../../kernel/contract.ts';
import type { MemberCaller } from '../../kernel/handles.ts';
import { type BoundRoutes, bind, type HandlerInput } from '../../kernel/module.ts';
import { entityTag } from './content-headers.ts';
import { type Document, documentsContract, type ListDocuments } from './contract.ts';
import type { DocumentServices } from './index.ts';
import { type Acting, actingOf } from './service/acting.ts';
import { tusExtensions, tusVersion, uploadsContract } from './upload-contract.ts';

type Input = Pick<HandlerInput<RouteSpec>, 'request'> & { readonly caller: MemberCaller };

function acting({ caller, request }: Input): Acting {
  return actingOf(caller, { ip: request.ip, requestId: request.id });
}

function tagged<S extends 200 | 201>(status: S, { document, versionId }: { document: Document; versionId: string }) {
  const headers = {
    etag: entityTag(versionId),
    ...(status === 201 ? { location: `/api/documents/${document.id}` } : {}),
  };
  return { status, headers, body: document };
}

const ok = <B>(body: B) => ({ status: 200 as const, body });
const none = { status: 204 as const };

export function documentRoutes(services: DocumentServices, maxUploadBytes: number): BoundRoutes {
  const { documents, uploads, downloads, shares, baskets, settings, resumables, renditions } = services;
  const { bulk, archives } = services;
  const ifMatch = (input: Input) => input.request.header('if-match');

  const main = bind(documentsContract, {
    uploadDocument: async (input) => tagged(201, await uploads.upload(acting(input), input.request)),
    listDocuments: async (input) => ok(await documents.list(acting(input), input.query)),
    getDocument: async (input) => tagged(200, await documents.get(acting(input), input.params.id)),
    updateDocument: async (input) =>
      tagged(200, await documents.update(acting(input), input.params.id, input.body, ifMatch(input))),
    deleteDocument: async (input) => {
      const remove = input.query.purge === true ? documents.purge : documents.trash;
      await remove(acting(input), input.params.id, ifMatch(input));
      return none;
    },
    restoreDocument: async (input) => tagged(200, await documents.restore(acting(input), input.params.id)),
    headDocumentContent: async (input) => {
      const { request, params, query } = input;
      return downloads.head(acting(input), params.id, query.version, request.header);
    },
    downloadDocument: async (input) => {
      const { request, params, query } = input;
      return downloads.open(acting(input), params.id, query.version, request.header);
    },
    previewDocument: async (input) => {
      const { request, params, query } = input;
      return renditions.open(acting(input), params.id, 'preview', query, request.header);
    },
    getThumbnail: async (input) => {
      const { request, params, query } = input;
      return renditions.open(acting(input), params.id, 'thumbnail', query, request.header);
    },
    getText: async (input) => {
      const { request, params, query } = input;
      return renditions.open(acting(input), params.id, 'text', query, request.header);
    },
    listVersions: async (input) => ok(await documents.listVersions(acting(input), input.params.id, input.query)),
    addVersion: async (input) =>
      tagged(201, await uploads.uploadVersion(acting(input), input.params.id, input.request)),
    restoreVersion: async (input) =>
      tagged(200, await documents.restoreVersion(acting(input), input.params.id, input.params.n)),
    listHistory: async (input) => ok(await documents.listHistory(acting(input), input.params.id, input.query)),
    getDocumentSettings: async (input) => ok(await settings.get(acting(input))),
    setDocumentSettings: async (input) => ok(await settings.set(acting(input), input.body)),

    bulkDocuments: async (input) => ok(await bulk.run(acting(input), input.body)),
    archiveDocuments: async (input) => ({
      status: 200 as const,
      ...(await archives.open(acting(input), input.body.ids)),
    }),

    listDocumentShares: async (input) => ok(await shares.list(acting(input), 'document', input.params.id)),
    putDocumentShare: async (input) => {
      const { id, grantee } = input.params;
      return ok(await shares.put(acting(input), 'document', id, grantee, input.body.access));
    },
    deleteDocumentShare: async (input) => {
      await shares.remove(acting(input), 'document', input.params.id, input.params.grantee);
      return none;
    },
    listBasketShares: async (input) => ok(await shares.list(acting(input), 'basket', input.params.id)),
    putBasketShare: async (input) => {
      const { id, grantee } = input.params;
      return ok(await shares.put(acting(input), 'basket', id, grantee, input.body.access));
    },
    deleteBasketShare: async (input) => {
      await shares.remove(acting(input), 'basket', input.params.id, input.params.grantee);
      return none;
    },

    listBaskets: async (input) => ok(await baskets.list(acting(input), input.query)),
    createBasket: async (input) => ({ status: 201 as const, body: await baskets.create(acting(input), input.body) }),
    getBasket: async (input) => ok(await baskets.get(acting(input), input.params.id)),
    updateBasket: async (input) => ok(await baskets.update(acting(input), input.params.id, input.body)),
    deleteBasket: async (input) => {
      await baskets.remove(acting(input), input.params.id);
      return none;
    },
    listBasketDocuments: async (input) => {
      const query = { ...input.query, basket_id: input.params.id } as ListDocuments;
      return ok(await documents.list(acting(input), query));
    },
  });

  const tus = bind(uploadsContract, {
    describeUploads: async () => ({
      ...none,
      headers: {
        'tus-resumable': tusVersion,
        'tus-version': tusVersion,
        'tus-extension': tusExtensions,
        'tus-max-size': String(maxUploadBytes),
      },
    }),
    createUpload: async (input) => ({
      status: 201 as const,
      headers: await resumables.begin(acting(input), input.request),
    }),
    getUploadOffset: async (input) => ({
      status: 200 as const,
      headers: await resumables.look(acting(input), input.params.id, input.request),
    }),
    appendToUpload: async (input) => ({
      ...none,
      headers: await resumables.append(acting(input), input.params.id, input.request),
    }),
    terminateUpload: async (input) => ({
      ...none,
      headers: await resumables.terminate(acting(input), input.params.id, input.request),
    }),
  });

  return {
    contract: { ...main.contract, ...tus.contract },
    handlers: { ...main.handlers, ...tus.handlers },
  };
}
