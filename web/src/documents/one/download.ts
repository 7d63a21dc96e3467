/**
 * Downloads: the browser fetches the file itself, always as an attachment, by a ticket that is good for this file and one
 * minute. No token stands in an address.
 */
import { documentsContract } from '../../../../src/modules/documents/contract.ts';
import { client } from '../../app/session.ts';

/** @throws ProblemError */
export async function download(id: string, version?: number): Promise<void> {
  const path = documentsContract.downloadDocument.path.replace('{id}', encodeURIComponent(id));
  await client.accounts.ticket({ body: { path } });
  const link = document.createElement('a');
  link.href = version === undefined ? path : `${path}?version=${version}`;
  // The server's own header names the file.
  link.download = '';
  link.hidden = true;
  document.body.append(link);
  link.click();
  link.remove();
}
