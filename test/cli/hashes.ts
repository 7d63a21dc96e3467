/** Password hashes as another system left them. */
import { hash } from '@node-rs/bcrypt';

export function bcrypt(password: string): Promise<string> {
  return hash(password, 6);
}
