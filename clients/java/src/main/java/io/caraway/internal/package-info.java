/** Not for users: what client and worker have in common. May change at any time. */
package io.caraway.internal;
