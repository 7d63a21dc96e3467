/**
 * Connections that only wait: one address may hold so many, then its oldest is closed, so that a thousand idle
 * connections from one place neither use up descriptors nor keep others out.
 */
import type { Socket } from 'node:net';

export interface IdleConnections {
  connected(socket: Socket): void;
  /** A request began on it. */
  busy(socket: Socket): void;
  /** Its answer is over. */
  waiting(socket: Socket): void;
}

export function trackIdleConnections(limits: { perAddress: number }): IdleConnections {
  // A Set keeps the order of insertion: its first member has waited longest.
  const idle = new Map<string, Set<Socket>>();

  function add(socket: Socket): void {
    if (socket.destroyed) return;
    const address = socket.remoteAddress ?? '';
    let sockets = idle.get(address);
    if (sockets === undefined) {
      sockets = new Set();
      idle.set(address, sockets);
    }
    sockets.add(socket);
    if (sockets.size <= limits.perAddress) return;
    const oldest = sockets.values().next().value!;
    sockets.delete(oldest);
    oldest.destroy();
  }

  function remove(socket: Socket, address: string): void {
    const sockets = idle.get(address);
    if (sockets === undefined) return;
    sockets.delete(socket);
    if (sockets.size === 0) idle.delete(address);
  }

  return {
    connected(socket) {
      const address = socket.remoteAddress ?? '';
      socket.on('close', () => remove(socket, address));
      add(socket);
    },
    busy: (socket) => idle.get(socket.remoteAddress ?? '')?.delete(socket),
    waiting: add,
  };
}
