/** `strongroom companies`: what operators do with companies, from the host. */
import type { Command } from 'commander';
import type { Tools } from '../tools.ts';
import { registerCompanyCreate } from './companies-create.ts';
import { registerCompanyDelete } from './companies-delete.ts';
import { registerCompanyList } from './companies-list.ts';
import { registerCompanyMoveNode } from './companies-move-node.ts';
import { registerCompanyShow } from './companies-show.ts';
import { registerCompanyState } from './companies-state.ts';
import { registerCompanyTest } from './companies-test.ts';

export function registerCompanies(program: Command, tools: Tools): void {
  const companies = program.command('companies').description('create, list and look after companies');
  registerCompanyCreate(companies, tools);
  registerCompanyList(companies, tools);
  registerCompanyShow(companies, tools);
  registerCompanyState(companies, tools);
  registerCompanyDelete(companies, tools);
  registerCompanyTest(companies, tools);
  registerCompanyMoveNode(companies, tools);
}
