/** The typed client: what browsers, the web app, the command line and tests speak to a server with. */
export type { CallInput, CallOutput } from './call.ts';
export { type Client, type ClientOptions, contracts, createClient, type OperationId, type Tokens } from './client.ts';
export { ProblemError } from './problem-error.ts';
export type { Progress, Transfer, TusOptions, TusUpload, Upload, UploadSource } from './upload.ts';
