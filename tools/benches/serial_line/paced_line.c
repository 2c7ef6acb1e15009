// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// paced_line BITS_PER_CHARACTER BAUD LINK_A LINK_B
//
// A serial line between two ptys, at whose free ends LINK_A (the client's) and LINK_B (the servers') point.
// Each character leaves when it would have been shifted out at the line's speed; a port sends what it was
// given in one go, as a UART does. Watches the pause that the client keeps before each of its frames. On
// SIGTERM it prints what it saw as JSON.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { capacity = 4096 };

struct port {
  int master;
  int kept_open;  // or the master would see a hang-up while nobody has the other end open
  // Characters on their way to the other port's reader, and when each has arrived.
  uint8_t waiting[capacity];
  int64_t due[capacity];
  unsigned first, count;
  int64_t wire_busy_until;
};

static volatile sig_atomic_t is_stopping;

static void stop(int number) {
  (void)number;
  is_stopping = 1;
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static void open_port(struct port* port, const char* link) {
  struct termios raw;
  char name[128];
  memset(&raw, 0, sizeof raw);
  cfmakeraw(&raw);
  if (openpty(&port->master, &port->kept_open, name, &raw, NULL) != 0) fail("openpty");
  fcntl(port->master, F_SETFL, O_NONBLOCK);
  unlink(link);
  if (symlink(name, link) != 0) fail(link);
}

// Takes what the port was given to send. Returns how many characters.
static int take(struct port* port, int64_t character) {
  uint8_t bytes[512];
  const ssize_t got = read(port->master, bytes, sizeof bytes);
  if (got <= 0) return 0;
  const int64_t now = now_ns();
  if (port->wire_busy_until < now) port->wire_busy_until = now;
  for (ssize_t i = 0; i < got && port->count < capacity; ++i, ++port->count) {
    const unsigned at = (port->first + port->count) % capacity;
    port->wire_busy_until += character;
    port->waiting[at] = bytes[i];
    port->due[at] = port->wire_busy_until;
  }
  return (int)got;
}

// Hands over what has arrived by now. Returns how late the latest of it is.
static int64_t release(struct port* port, const struct port* other) {
  int64_t late = 0;
  for (int64_t now = now_ns(); port->count > 0 && port->due[port->first] <= now; now = now_ns()) {
    if (write(other->master, &port->waiting[port->first], 1) != 1 && errno != EAGAIN) fail("write");
    late = now - port->due[port->first];
    port->first = (port->first + 1) % capacity;
    --port->count;
  }
  return late;
}

static int64_t next_due(const struct port* port) {
  return port->count > 0 ? port->due[port->first] : INT64_MAX;
}

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const int64_t character = INT64_C(1000000000) * atoi(argv[1]) / atoi(argv[2]);
  const int64_t silence = character * 7 / 2;
  static struct port client, servers;
  open_port(&servers, argv[4]);
  open_port(&client, argv[3]);

  const struct sched_param urgent = {.sched_priority = 50};
  const int is_urgent = sched_setscheduler(0, SCHED_FIFO, &urgent) == 0;
  mlockall(MCL_CURRENT | MCL_FUTURE);
  prctl(PR_SET_TIMERSLACK, 1);
  signal(SIGTERM, stop);
  signal(SIGINT, stop);

  long frames = 0, violations = 0;
  int64_t shortest = INT64_MAX, latest = 0;
  while (!is_stopping) {
    const int64_t due = next_due(&client) < next_due(&servers) ? next_due(&client) : next_due(&servers);
    const int64_t wait = due == INT64_MAX ? INT64_C(100000000) : due - now_ns();
    const struct timespec patience = {(time_t)(wait > 0 ? wait / 1000000000 : 0),
                                      wait > 0 ? wait % 1000000000 : 0};
    struct pollfd ends[] = {{client.master, POLLIN, 0}, {servers.master, POLLIN, 0}};
    if (ppoll(ends, 2, &patience, NULL) > 0) {
      const int64_t line_free =
          client.wire_busy_until > servers.wire_busy_until ? client.wire_busy_until : servers.wire_busy_until;
      const int64_t begins = now_ns();
      if ((ends[0].revents & POLLIN) != 0 && take(&client, character) > 0) {
        ++frames;
        if (frames > 1 && begins - line_free < shortest) shortest = begins - line_free;
        if (frames > 1 && begins - line_free < silence) ++violations;
      }
      if ((ends[1].revents & POLLIN) != 0) take(&servers, character);
    }
    const int64_t late_a = release(&client, &servers), late_b = release(&servers, &client);
    if (late_a > latest) latest = late_a;
    if (late_b > latest) latest = late_b;
  }
  printf(
      "{\"frames\": %ld, \"silence_violations\": %ld, \"shortest_silence_ms\": %.4f, "
      "\"latest_character_ms\": "
      "%.4f, \"is_urgent\": %d}\n",
      frames, violations, frames > 1 ? (double)shortest / 1e6 : 0.0, (double)latest / 1e6, is_urgent);
  return 0;
}
