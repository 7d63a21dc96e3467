/** The two companies of the demo, their people, and what each of them brings. */
import type { Role } from '../../kernel/roles.ts';

export interface Cast {
  readonly name: string;
  readonly slug: string;
  readonly domain: string;
  readonly uploads: Readonly<Record<DemoRole, readonly string[]>>;
}

export type DemoRole = Extract<Role, 'hr_admin' | 'hr_manager' | 'employee' | 'customer'>;

/** Who invites whom: each one is invited by the one before. */
export const demoRoles: readonly DemoRole[] = ['hr_admin', 'hr_manager', 'employee', 'customer'];

export const titles: Readonly<Record<DemoRole, string>> = {
  hr_admin: 'HR admin',
  hr_manager: 'HR manager',
  employee: 'Employee',
  customer: 'Customer',
};

export const companies: readonly [Cast, Cast] = [
  {
    name: 'Alder Works',
    slug: 'alder-works',
    domain: 'alder.example',
    uploads: {
      hr_admin: ['handbook.md', 'safety-training.pdf'],
      hr_manager: ['absences.csv'],
      employee: ['contract.docx', 'badge.png'],
      customer: ['application.eml'],
    },
  },
  {
    name: 'Birch Clinic',
    slug: 'birch-clinic',
    domain: 'birch.example',
    uploads: {
      hr_admin: ['handbook.md'],
      hr_manager: ['safety-training.pdf'],
      employee: ['badge.png'],
      customer: ['application.eml'],
    },
  },
];

export const mediaTypes: Readonly<Record<string, string>> = {
  '.md': 'text/markdown',
  '.pdf': 'application/pdf',
  '.csv': 'text/csv',
  '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  '.png': 'image/png',
  '.eml': 'message/rfc822',
};
