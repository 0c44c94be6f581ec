/** What the chain says, by the auditor's own replay of it: what the log is held against. */

/** An anchor of the log; the opening counts as that of size 1. */
export type ChainAnchor = {
  readonly size: number;
  readonly root: Uint8Array;
  readonly block: number;
  /** Seconds since 1970. */
  readonly blockTime: number;
  readonly transaction: Uint8Array;
  readonly gasUsed: number;
};

/** A key as the registry has it at the final block. Times are seconds since 1970; `validUntil` is exclusive. */
export type ChainKey = {
  readonly agency: string;
  /** The algorithm's number, 1 to 6 (DESIGN 3.1). */
  readonly algorithm: number;
  /** What was registered: RFC 7638's text, if the registrar kept to it. */
  readonly jwk: Uint8Array;
  /** The proof of possession, as registered. */
  readonly proof: string;
  readonly validFrom: number;
  readonly validUntil: number;
  readonly addedBlock: number;
  /** In their order. */
  readonly retirements: readonly {
    readonly block: number;
    readonly blockTime: number;
    readonly validUntil: number;
  }[];
};

export type ChainView = {
  readonly final: {
    readonly number: number;
    readonly hash: Uint8Array;
    readonly time: number;
    readonly stateRoot: Uint8Array;
  };
  /** Whether validators' seals prove the final block. */
  readonly finality: 'proved' | 'unproved';
  /** Of this log, smallest size first. */
  readonly anchors: readonly ChainAnchor[];
  readonly closed: boolean;
  readonly paused: boolean;
  /** 20 bytes. */
  readonly anchorer: Uint8Array;
  key(keyId: Uint8Array): ChainKey | undefined;
  /** Names by identifier. */
  readonly agencies: ReadonlyMap<string, string>;
  /** A block from the deployment up to the final one. Time in seconds since 1970. */
  blockByHash(hash: Uint8Array): { readonly number: number; readonly time: number } | undefined;
  readonly contracts: readonly {
    readonly name: string;
    readonly address: Uint8Array;
    readonly storageRoot: Uint8Array;
    readonly codeHash: Uint8Array;
    readonly replayed: { readonly storageRoot: Uint8Array; readonly codeHash: Uint8Array };
  }[];
  readonly counts: {
    readonly blocks: number;
    readonly transactions: number;
    readonly replayed: number;
    readonly reverted: number;
  };
};
