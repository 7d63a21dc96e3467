/** The landing page, and the three pages that one-time links lead to. */
import { makePage } from './page.ts';

const passwordFields = `
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="8" maxlength="128" required>
<label for="repeated">The same again</label>
<input id="repeated" name="repeated" type="password" autocomplete="new-password" required>`;

const answers = (text: string) => `<p role="alert" hidden></p>\n<p role="status" hidden>${text}</p>`;

export const landingPage = makePage({
  title: 'Strongroom',
  main: `<h1>Strongroom</h1>
<p class="soft">Every company’s people and documents, in a database and a bucket of their own.</p>
<p><a href="/docs">Read and try the API</a></p>
<p><a href="/openapi.json">OpenAPI document</a></p>
<p><a href="/health">Health</a></p>`,
});

export const setupPage = makePage({
  title: 'Set up Strongroom',
  script: './form.js',
  main: `<h1>Set up Strongroom</h1>
<p class="soft">Makes the first operator. This works once.</p>
<form data-send="/api/setup">
<label for="username">User name</label>
<input id="username" name="username" autocomplete="username" pattern="[a-z0-9][a-z0-9._\\-]{1,63}" required autofocus>
<label for="email">E-mail address</label>
<input id="email" name="email" type="email" autocomplete="email" required>${passwordFields}
<button>Create operator</button>
</form>
${answers('The operator is there. Go on with <a href="/docs">the API</a>: sign in, then create a company.')}`,
});

export const invitationPage = makePage({
  title: 'Accept invitation',
  script: './form.js',
  main: `<h1>Welcome</h1>
<p class="soft" id="about">Choose a password to accept your invitation.</p>
<form data-send="/api/user-management/setup-password" data-describe="/api/user-management/invitation/">
<label for="username">User name <span class="soft">(if you want one)</span></label>
<input id="username" name="username" autocomplete="username" pattern="[a-z0-9][a-z0-9._\\-]{1,63}">${passwordFields}
<button>Accept</button>
</form>
${answers('Your account is ready. You can sign in now.')}`,
});

export const resetPasswordPage = makePage({
  title: 'New password',
  script: './form.js',
  main: `<h1>New password</h1>
<p class="soft">Every device that is signed in will have to sign in again.</p>
<form data-send="/api/auth/reset-password">${passwordFields}
<button>Set password</button>
</form>
${answers('The password is set. You can sign in now.')}`,
});
