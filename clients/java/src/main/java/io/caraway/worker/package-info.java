/** Runs tasks: {@link io.caraway.worker.Worker} leases them, calls handlers by name, and reports what became of them. */
package io.caraway.worker;
