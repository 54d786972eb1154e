/**
 * The client of Caraway: {@link io.caraway.CarawayClient} submits tasks, waits, watches and revokes; {@link
 * io.caraway.worker.Worker} runs them; {@link io.caraway.canvas.Canvas} composes them.
 */
package io.caraway;
