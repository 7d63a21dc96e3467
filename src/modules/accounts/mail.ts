/**
 * The mails of accounts. To a company's people they go through a sealed job of that company, queued in the transaction
 * that made the link; to operators, who have no company, at once. Plain text: a name with markup in it stays text.
 */
import type { TenantTx } from '../../kernel/database/database.ts';
import { isStrongroomError } from '../../kernel/errors.ts';
import type { Tenant } from '../../kernel/handles.ts';
import type { JobDefinitions, Jobs } from '../../kernel/jobs/jobs.ts';
import type { Mail, Mailer } from '../../kernel/mail.ts';

declare module '../../kernel/jobs/jobs.ts' {
  interface JobPayloads {
    'accounts.mail': Pick<Mail, 'to' | 'subject' | 'text'>;
  }
}

export interface Post {
  /** False: there is no mail server, so links are in answers alone. */
  readonly configured: boolean;
  queue(tx: TenantTx, tenant: Pick<Tenant, 'clock' | 'secrets'>, mail: Mail): Promise<void>;
  send(mail: Mail): Promise<void>;
  readonly jobs: JobDefinitions;
}

export function createPost(mailer: Mailer, jobs: Jobs): Post {
  return {
    configured: mailer.configured,
    async queue(tx, tenant, mail) {
      if (mailer.configured) await jobs.enqueue(tx, tenant, 'accounts.mail', mail, { sealed: true });
    },
    send: (mail) => mailer.send(mail),
    jobs: {
      'accounts.mail': {
        async run(_tenant, mail) {
          try {
            await mailer.send(mail);
          } catch (error) {
            // The server's last word about this mail (or there is no server any more): trying again changes nothing.
            if (!isStrongroomError(error, 'unsupported')) throw error;
          }
        },
      },
    },
  };
}

export function invitationMail(to: string, company: string, link: string, until: string): Mail {
  return {
    to,
    subject: `Invitation to ${company}`,
    text: `You are invited to ${company}.\n\nSet your password here:\n${link}\n\nThe link works once, until ${until}.\n`,
  };
}

export function resetMail(to: string, link: string, until: string): Mail {
  return {
    to,
    subject: 'Reset your password',
    text: `Set a new password here:\n${link}\n\nThe link works once, until ${until}. If you did not ask for it, do nothing.\n`,
  };
}
