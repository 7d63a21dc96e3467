/** The bare list on PostgreSQL: Fastify and the same driver, one pool, one table, prepared statements, no sign-in. */
import fastify from 'fastify';
import pg from 'pg';
import { itemOf } from './item.ts';

const pool = new pg.Pool({ connectionString: process.argv[2]!, max: 10 });
const app = fastify();

app.get('/list', async () => {
  const { rows } = await pool.query({
    name: 'page',
    text: 'select * from documents order by created_at desc, id desc limit 50',
  });
  return { items: rows.map(itemOf), next_cursor: null };
});

console.log(await app.listen({ host: '127.0.0.1', port: 0 }));
process.on(
  'SIGTERM',
  () =>
    void app
      .close()
      .then(() => pool.end())
      .then(() => process.exit(0)),
);
