/** What may be done to the accounts of others. Each permission opens routes of ours, and guards may ask for it. */
export const permissionNames = [
  'users:read', 'users:write', 'users:roles', 'users:delete', 'users:reset', 'factors:reset', 'users:invite',
  'users:impersonate', 'sessions:end', 'keys:end', 'audit:read', 'mails:read', 'mails:retry',
] as const

/** A right to read or change accounts of others, such as `'users:read'`. */
export type Permission = typeof permissionNames[number]

/** The permissions of each role, by its name; `'*'` is all of them. A role that is not named here has none. */
export type RolePermissions = Record<string, (Permission | '*')[]>

/** Who may do what, by the roles that users have. */
export interface Permissions {
  /** The roles that give a permission, of which a user needs one. */
  rolesWith: (permission: Permission) => ReadonlySet<string>
  /** All that these roles give together. Roles that are no list, as nothing of ours writes them, give nothing. */
  of: (roles: string[]) => ReadonlySet<Permission>
  /** True where these roles give nothing beyond the permissions `own`. */
  areWithin: (roles: string[], own: ReadonlySet<Permission>) => boolean
}

/** Works out once, when the app starts, what each role gives. */
export function createPermissions (given: RolePermissions): Permissions {
  const rolesWith = new Map(permissionNames.map((permission) => [permission, new Set(
    Object.entries(given).filter(([, names]) => names.includes('*') || names.includes(permission)).map(([role]) => role)
  )]))

  function of (roles: string[]): Set<Permission> {
    const list = Array.isArray(roles) ? roles : []
    return new Set(permissionNames.filter((permission) => {
      const giving = rolesWith.get(permission)!
      return list.some((role) => giving.has(role))
    }))
  }

  return {
    rolesWith: (permission) => rolesWith.get(permission)!,
    of,
    areWithin: (roles, own) => [...of(roles)].every((permission) => own.has(permission)),
  }
}
