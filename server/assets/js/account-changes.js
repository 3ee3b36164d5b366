// Changes of an account by an administrator, with their questions: for the list of users and the page of one.

/**
 * Each change: the JSON of the request, the attribute that shows it, its new value, the message, the change that reverts
 * it, and the question that comes first, if it takes something away or gives much.
 */
export const CHANGES = {
  'make-admin': {
    json: { is_admin: true }, attribute: 'data-admin', isSet: true, text: 'is an administrator.', reverse: 'unmake-admin',
    ask: (name) => ({
      question: `Make ${name} an administrator?`, verb: 'Make administrator',
      consequence: 'Administrators can read and change all vaults and all accounts.',
    }),
  },
  'unmake-admin': {
    json: { is_admin: false }, attribute: 'data-admin', isSet: false, text: 'is no longer an administrator.',
    reverse: 'make-admin',
    ask: (name) => ({
      question: `Remove the administrator rights of ${name}?`, verb: 'Remove rights',
      consequence: 'They keep the roles that they have in vaults.',
    }),
  },
  disable: {
    json: { disabled: true }, attribute: 'data-disabled', isSet: true, text: 'is signed out and cannot sign in.',
    reverse: 'enable',
    ask: (name) => ({
      question: `Disable ${name}?`, verb: 'Disable',
      consequence: 'They are signed out everywhere at once and cannot sign in. Their access tokens end. Nothing is deleted.',
    }),
  },
  enable: {
    json: { disabled: false }, attribute: 'data-disabled', isSet: false, text: 'can sign in again.', reverse: 'disable',
  },
};
