/** Values as payloads: exact JSON text with tagged values, the form of docs/payload.md. */
package io.caraway.payload;
