/** Several tasks as one: chain, group and chord, which compile to the contract's workflow. */
package io.caraway.canvas;
