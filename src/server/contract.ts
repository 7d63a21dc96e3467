/** The routes that belong to no module: health, readiness, metrics, the contract itself, and pages. Browser-safe. */
import { z } from 'zod';
import { anyone, contract } from '../kernel/contract.ts';

export const Health = z.object({ status: z.literal('ok') });
export const Ready = z.object({ status: z.literal('ready') });

export const systemContract = contract({
  health: {
    method: 'GET',
    path: '/health',
    summary: 'Whether the process lives',
    access: anyone,
    answers: { 200: Health },
    single: true,
  },
  apiHealth: {
    method: 'GET',
    path: '/api/health',
    summary: 'Whether the process lives',
    access: anyone,
    answers: { 200: Health },
  },
  ready: {
    method: 'GET',
    path: '/ready',
    summary: 'Whether database and file store answer; 503 while the server shuts down',
    access: anyone,
    answers: { 200: Ready },
    errors: ['not_ready', 'shutting_down'],
    single: true,
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'Metrics in the text format of Prometheus',
    description:
      'With the metrics token as bearer token, as an operator, or, where no token is set, from the same host.',
    access: anyone,
    answers: { 200: 'text' },
    single: true,
  },
  openapi: {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This contract as OpenAPI 3.1',
    access: anyone,
    answers: { 200: 'text' },
    single: true,
  },
  docs: {
    method: 'GET',
    path: '/docs',
    summary: 'A page to read and try the API',
    access: anyone,
    answers: { 200: 'html' },
    single: true,
  },
  landingPage: {
    method: 'GET',
    path: '/',
    summary: 'Landing page',
    access: anyone,
    answers: { 200: 'html' },
    single: true,
  },
  setupPage: {
    method: 'GET',
    path: '/setup',
    summary: 'Page that makes the first operator',
    access: anyone,
    answers: { 200: 'html' },
    single: true,
  },
  invitationPage: {
    method: 'GET',
    path: '/invitation',
    summary: 'Page that accepts an invitation, by `?token=`',
    access: anyone,
    answers: { 200: 'html' },
    single: true,
  },
  invitationPageByPath: {
    method: 'GET',
    path: '/invitation/{token}',
    summary: 'Page that accepts an invitation',
    access: anyone,
    params: z.object({ token: z.string().max(16_384) }),
    answers: { 200: 'html' },
    single: true,
  },
  resetPasswordPage: {
    method: 'GET',
    path: '/reset-password',
    summary: 'Page that sets a new password, by `?token=`',
    access: anyone,
    answers: { 200: 'html' },
    single: true,
  },
  resetPasswordPageByPath: {
    method: 'GET',
    path: '/reset-password/{token}',
    summary: 'Page that sets a new password',
    access: anyone,
    params: z.object({ token: z.string().max(16_384) }),
    answers: { 200: 'html' },
    single: true,
  },
});
