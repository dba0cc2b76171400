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
  /** All that these roles give together. */
  of: (roles: string[]) => ReadonlySet<Permission>
}

/** Works out once, when the app starts, what each role gives. */
export function createPermissions (given: RolePermissions): Permissions {
  const rolesWith = new Map(permissionNames.map((permission) => [permission, new Set(
    Object.entries(given).filter(([, names]) => names.includes('*') || names.includes(permission)).map(([role]) => role)
  )]))

  return {
    rolesWith: (permission) => rolesWith.get(permission)!,
    of: (roles) => new Set(permissionNames.filter((permission) => {
      const giving = rolesWith.get(permission)!
      return roles.some((role) => giving.has(role))
    })),
  }
}
