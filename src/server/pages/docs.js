// Lists the operations of /openapi.json and sends requests. Text is only ever set as text, never as markup.
(() => {
  const list = document.querySelector('#operations');
  const problem = document.querySelector('[role="alert"]');
  const token = document.querySelector('#token');

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  let number = 0;
  const labelled = (text, control) => {
    number += 1;
    control.id = `field-${number}`;
    return [make('label', { htmlFor: control.id, textContent: text }), control];
  };

  const sample = (schema) => {
    if (schema === undefined) return null;
    if (schema.examples !== undefined) return schema.examples[0];
    if (schema.enum !== undefined) return schema.enum[0];
    if (schema.anyOf !== undefined) return sample(schema.anyOf[0]);
    if (schema.type === 'object') {
      const required = new Set(schema.required ?? []);
      const members = Object.entries(schema.properties ?? {}).filter(([name]) => required.has(name));
      return Object.fromEntries(members.map(([name, member]) => [name, sample(member)]));
    }
    if (schema.type === 'array') return [];
    if (schema.type === 'boolean') return false;
    if (schema.type === 'integer' || schema.type === 'number') return 0;
    return '';
  };

  const send = async (method, path, operation, inputs, body, file, output) => {
    const query = new URLSearchParams();
    let address = path;
    for (const [parameter, input] of inputs) {
      if (input.value === '') continue;
      if (parameter.in === 'path') address = address.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      if (parameter.in === 'query') query.set(parameter.name, input.value);
    }
    const headers = {};
    if (token.value !== '') headers.authorization = `Bearer ${token.value.trim()}`;
    let payload;
    if (file?.files.length > 0) {
      payload = new FormData();
      payload.append('file', file.files[0]);
    } else if (body !== undefined && body.value !== '') {
      headers['content-type'] = 'application/json';
      payload = body.value;
    }
    const search = query.size > 0 ? `?${query}` : '';
    output.hidden = false;
    output.textContent = '…';
    const answer = await fetch(address + search, { method, headers, body: payload });
    const text = await answer.text();
    let shown = text;
    if ((answer.headers.get('content-type') ?? '').includes('json')) shown = JSON.stringify(JSON.parse(text), null, 2);
    output.textContent = `${answer.status} ${answer.statusText}\n\n${shown.slice(0, 20_000)}`;
    if (operation.operationId === 'login' && answer.ok) token.value = JSON.parse(text).access_token;
  };

  const details = (method, path, operation) => {
    const summary = make('summary', {}, make('span', { className: 'method', textContent: method.toUpperCase() }));
    summary.append(make('code', { textContent: path }), ` ${operation.summary}`);
    const box = make('details', {}, summary);
    box.dataset.words = `${method} ${path} ${operation.summary} ${operation.operationId}`.toLowerCase();
    box.addEventListener('toggle', () => fill(box, method, path, operation), { once: true });
    return box;
  };

  const fill = (box, method, path, operation) => {
    if (operation.description !== undefined) box.append(make('p', { textContent: operation.description }));
    const inputs = (operation.parameters ?? []).map((parameter) => {
      const input = make('input', { placeholder: parameter.description ?? '' });
      box.append(...labelled(`${parameter.name}${parameter.required ? ' *' : ''} (${parameter.in})`, input));
      return [parameter, input];
    });
    const content = operation.requestBody?.content ?? {};
    let body;
    let file;
    if (content['application/json'] !== undefined) {
      const text = JSON.stringify(sample(content['application/json'].schema), null, 2);
      body = make('textarea', { value: text, spellcheck: false });
      box.append(...labelled('Body', body));
    } else if (content['multipart/form-data'] !== undefined) {
      file = make('input', { type: 'file' });
      box.append(...labelled('File', file));
    }
    const output = make('pre', { hidden: true, tabIndex: 0 });
    const button = make('button', { type: 'button', textContent: 'Send' });
    button.addEventListener('click', () => {
      send(method, path, operation, inputs, body, file, output).catch((error) => {
        output.textContent = String(error);
      });
    });
    const statuses = make('p', { className: 'soft' });
    statuses.textContent = `Answers: ${Object.keys(operation.responses).join(', ')}`;
    box.append(statuses, button, output);
  };

  const load = async () => {
    const contract = await (await fetch('/openapi.json')).json();
    const groups = new Map();
    for (const [path, methods] of Object.entries(contract.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const tag = operation.tags?.[0] ?? 'other';
        if (!groups.has(tag)) groups.set(tag, []);
        groups.get(tag).push(details(method, path, operation));
      }
    }
    list.replaceChildren();
    for (const [tag, boxes] of groups) list.append(make('section', {}, make('h2', { textContent: tag }), ...boxes));
  };

  document.querySelector('#filter').addEventListener('input', (event) => {
    const words = event.target.value.toLowerCase();
    for (const box of list.querySelectorAll('details')) box.hidden = !box.dataset.words.includes(words);
  });

  load().catch(() => {
    problem.textContent = 'The contract could not be read.';
    problem.hidden = false;
  });
})();
