// What BullMQ's worker and producer share.

export const name = "bench";
export const connection = { path: process.env.BENCH_STORE_SOCKET, maxRetriesPerRequest: null };

// Seconds since 1970.
export const now = () => (performance.timeOrigin + performance.now()) / 1000;
