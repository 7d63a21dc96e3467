/** Why a file cannot be shown, as a word that may leave the process which found out. */

export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** Lower case and underscores. */
  readonly refusal: string;
  constructor(refusal: string) {
    super(refusal);
    this.refusal = refusal;
  }
}
