/**
 * Resumable uploads: tus 1.0.0 (https://tus.io/protocols/resumable-upload) with creation, creation-with-upload,
 * expiration and termination. Browser-safe.
 */
import { z } from 'zod';
import { anyone, contract, everyMember, IdParam } from '../../kernel/contract.ts';

export const tusVersion = '1.0.0';
export const tusExtensions = 'creation,creation-with-upload,expiration,termination';

const params = z.object({ id: IdParam });

export const uploadsContract = contract({
  describeUploads: {
    method: 'OPTIONS',
    path: '/api/uploads',
    summary: 'What this server knows of tus',
    access: anyone,
    answers: { 204: null },
  },
  createUpload: {
    method: 'POST',
    path: '/api/uploads',
    summary: 'Begin a resumable upload',
    description:
      'Upload-Length is required. Upload-Metadata: `filename` (required), `basket_id`, `on_conflict`, `filetype`, each ' +
      'in base64. Name and rights are checked, and the quota reserved.',
    access: everyMember,
    bodyKind: 'stream',
    answers: { 201: null },
    creates: 'plain',
    errors: ['tus_version', 'filename_taken', 'file_too_large', 'quota_exceeded', 'type_denied'],
  },
  // HEAD before PATCH, and no GET: nothing of an unfinished upload can be read.
  getUploadOffset: {
    method: 'HEAD',
    path: '/api/uploads/{id}',
    summary: 'How much has arrived',
    access: everyMember,
    params,
    answers: { 200: null },
    errors: ['tus_version', 'upload_expired'],
  },
  appendToUpload: {
    method: 'PATCH',
    path: '/api/uploads/{id}',
    summary: 'Send bytes at an offset',
    description: 'The answer to the last bytes carries `Strongroom-Document` with the id of the document.',
    access: everyMember,
    params,
    bodyKind: 'stream',
    answers: { 204: null },
    errors: [
      'tus_version',
      'offset_mismatch',
      'upload_expired',
      'unsupported_media_type',
      'file_too_large',
      'filename_taken',
      'type_denied',
    ],
  },
  terminateUpload: {
    method: 'DELETE',
    path: '/api/uploads/{id}',
    summary: 'Give an upload up',
    access: everyMember,
    params,
    answers: { 204: null },
  },
});
