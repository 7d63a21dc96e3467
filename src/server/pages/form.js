// The forms of /setup, /invitation/<token> and /reset-password/<token>: sends the fields as JSON and shows the answer.
(() => {
  const form = document.querySelector('form');
  const problem = document.querySelector('[role="alert"]');
  const done = document.querySelector('[role="status"]');
  const fromPath = decodeURIComponent(location.pathname.split('/').filter(Boolean)[1] ?? '');
  const token = new URLSearchParams(location.search).get('token') ?? fromPath;
  // The token must not stay in the address bar, the history or a screenshot.
  history.replaceState(null, '', `/${location.pathname.split('/')[1]}`);

  const show = (answer) => {
    const fields = (answer.errors ?? []).map((error) => `${error.path}: ${error.message}`);
    problem.textContent = fields.length > 0 ? fields.join('; ') : (answer.detail ?? 'That did not work.');
    problem.hidden = false;
  };

  const describe = async () => {
    const path = form.dataset.describe;
    if (path === undefined) return;
    const answer = await fetch(path + encodeURIComponent(token));
    const body = await answer.json();
    if (!answer.ok) {
      form.hidden = true;
      show(body);
      return;
    }
    const about = document.querySelector('#about');
    about.textContent = `${body.company.name} invites ${body.email} as ${body.role.replaceAll('_', ' ').replace(/^hr/, 'HR')}.`;
  };

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    problem.hidden = true;
    const values = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ''));
    const { repeated, ...fields } = values;
    if (repeated !== fields.password) {
      show({ detail: 'The two passwords differ.' });
      return;
    }
    const button = form.querySelector('button');
    button.disabled = true;
    try {
      const answer = await fetch(form.dataset.send, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token, ...fields }),
      });
      if (answer.ok) {
        form.hidden = true;
        done.hidden = false;
      } else {
        show(await answer.json());
      }
    } catch {
      show({ detail: 'The server does not answer. Try again.' });
    } finally {
      button.disabled = false;
    }
  });

  describe().catch(() => show({ detail: 'The server does not answer. Reload this page.' }));
})();
