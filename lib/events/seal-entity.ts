import { defineEntity, p } from '@mikro-orm/core'

/** A link of the chain that shows whether sealed events were changed. */
const SealSchema = defineEntity({
  name: 'AccountsSeal',
  tableName: 'accounts_seals',
  properties: {
    /** Seals are numbered from 1 without a gap. */
    seq: p.integer().primary().autoincrement(false).name('seq'),
    /** How many events are in it. */
    entries: p.integer().name('entries'),
    /** The MAC over these events and the hash of the seal before. */
    hash: p.string().length(64).name('hash'),
    /** The key of the MAC. */
    kid: p.string().length(16).name('kid'),
    /** A MAC that says that the events up to and with this seal were pruned. Null where they are there. */
    pruned: p.string().length(64).strictNullable().name('pruned'),
    createdAt: p.datetime(3).name('created_at'),
  },
})

export class Seal extends SealSchema.class {}
SealSchema.setClass(Seal)
