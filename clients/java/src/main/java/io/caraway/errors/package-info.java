/** What this library throws: one tree under {@link io.caraway.errors.CarawayException}. */
package io.caraway.errors;
