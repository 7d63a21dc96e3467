/**
 * Many documents as one ZIP archive, saved by the browser itself as it comes, however large it is: by a form of our own
 * page, in a frame that nobody sees, with a ticket for a token. What is to be saved never loads into the frame; what
 * does load is a refusal, and then the archive is asked for once more in a way that tells why.
 */
import { documentsContract } from '../../../../src/modules/documents/contract.ts';
import { client } from '../../app/session.ts';

const { path } = documentsContract.archiveDocuments;
let frames = 0;

/**
 * Begins to save it. @throws ProblemError where there is no ticket
 * @param onRefused told why nothing is saved
 */
export async function downloadArchive(ids: readonly string[], onRefused: (error: unknown) => void): Promise<void> {
  await client.accounts.ticket({ body: { path } });
  frames += 1;
  // It stays: an archive whose beginning has not come yet would end with it.
  const frame = document.createElement('iframe');
  frame.name = `archive-${frames}`;
  frame.title = 'ZIP';
  frame.hidden = true;
  frame.addEventListener('load', () => {
    if (isBlank(frame)) return;
    frame.remove();
    saveAtOnce(ids).catch(onRefused);
  });
  document.body.append(frame);
  const form = document.createElement('form');
  form.method = 'post';
  form.action = path;
  form.target = frame.name;
  form.hidden = true;
  const field = document.createElement('input');
  field.type = 'hidden';
  field.name = 'ids';
  field.value = ids.join(',');
  form.append(field);
  document.body.append(form);
  form.submit();
  form.remove();
}

/** Whether the frame shows what it shows from the beginning. A refusal may not be looked into. */
function isBlank(frame: HTMLIFrameElement): boolean {
  try {
    return frame.contentWindow?.location.href === 'about:blank';
  } catch {
    return false;
  }
}

/** Through the memory of the page: where a browser does not send the form as one of our own, as over plain HTTP. */
async function saveAtOnce(ids: readonly string[]): Promise<void> {
  const answer = await client.open('archiveDocuments', { body: { ids: [...ids] } });
  const disposition = answer.headers.get('content-disposition') ?? '';
  const name = /filename\*=UTF-8''([^;]+)/.exec(disposition)?.[1];
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name === undefined ? 'documents.zip' : decodeURIComponent(name);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
