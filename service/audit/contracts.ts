/** The contracts that an audit follows, and what this repository's sources compile to for them. */

import type { InterfaceAbi } from 'ethers';

export type ContractName = 'AccessManager' | 'AnchorRegistry' | 'KeyRegistry';

/** What the compiler gives for each contract. The code is 0x-prefixed hexadecimal. */
export type Artifacts = Readonly<
  Record<ContractName, { readonly abi: InterfaceAbi; readonly deployedBytecode: string }>
>;

/** A contract that is followed. Where the registries were governed by several AccessManagers one after another, each is one. */
export type FollowedContract = { readonly name: ContractName; readonly address: Uint8Array };
