// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// rtu_servers BITS_PER_CHARACTER BAUD LINE LOG
//
// Modbus RTU units 1 to 247 on a serial line, each with holding registers that hold their address. Like a
// device it takes a frame for complete when nothing has come for 3.5 characters, and answers then. LOG gets a
// line a request: when it was complete (s), unit, first register, how many, turn-round (ms) from the last
// character of the request to the first of the reply. Counts requests that came less than 3.5 characters
// after a reply, and prints that number at SIGTERM.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

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

static uint16_t crc16(const uint8_t* bytes, int length) {
  uint16_t crc = 0xffff;
  for (int i = 0; i < length; ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) crc = (uint16_t)((crc & 1) != 0 ? (crc >> 1) ^ 0xa001 : crc >> 1);
  }
  return crc;
}

// Waits until a time on the monotonic clock, or for input; whether there is input.
static int input_until(int line, int64_t until) {
  const int64_t wait = until - now_ns();
  const struct timespec patience = {(time_t)(wait > 0 ? wait / 1000000000 : 0),
                                    wait > 0 ? wait % 1000000000 : 0};
  struct pollfd input = {line, POLLIN, 0};
  return ppoll(&input, 1, &patience, NULL) > 0;
}

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const int64_t character = INT64_C(1000000000) * atoi(argv[1]) / atoi(argv[2]);
  const int64_t silence = character * 7 / 2;
  const int line = open(argv[3], O_RDWR | O_NOCTTY | O_NONBLOCK);
  FILE* log = fopen(argv[4], "w");
  if (line < 0 || log == NULL) {
    perror(argv[line < 0 ? 3 : 4]);
    return 1;
  }
  struct termios raw;
  tcgetattr(line, &raw);
  cfmakeraw(&raw);
  tcsetattr(line, TCSANOW, &raw);
  const struct sched_param urgent = {.sched_priority = 40};
  sched_setscheduler(0, SCHED_FIFO, &urgent);
  mlockall(MCL_CURRENT | MCL_FUTURE);
  prctl(PR_SET_TIMERSLACK, 1);
  setvbuf(log, NULL, _IOLBF, 4096);
  signal(SIGTERM, stop);
  signal(SIGINT, stop);

  long violations = 0;
  int64_t replied_until = 0;  // when the last character of our last reply had left
  uint8_t frame[256];
  int length = 0;
  int64_t last_at = 0;
  while (!is_stopping) {
    if (input_until(line, length > 0 ? last_at + silence : now_ns() + INT64_C(100000000))) {
      const ssize_t got = read(line, frame + length, sizeof frame - (size_t)length);
      if (got <= 0) continue;
      last_at = now_ns();
      // A character is seen at its end.
      if (length == 0 && replied_until != 0 && last_at - character - replied_until < silence) ++violations;
      length = (length + (int)got) % (int)sizeof frame;
      continue;
    }
    if (length == 0) continue;
    const int is_request = length == 8 && frame[1] == 3 && crc16(frame, length) == 0 && frame[4] == 0 &&
                           frame[5] >= 1 && frame[5] <= 125;
    length = 0;
    if (!is_request) continue;
    const int first = frame[2] << 8 | frame[3], count = frame[5];
    uint8_t reply[256] = {frame[0], frame[1], (uint8_t)(2 * count)};
    for (int i = 0; i < count; ++i) {
      reply[3 + 2 * i] = (uint8_t)((first + i) >> 8);
      reply[4 + 2 * i] = (uint8_t)(first + i);
    }
    const int size = 3 + 2 * count;
    const uint16_t crc = crc16(reply, size);
    reply[size] = (uint8_t)crc;
    reply[size + 1] = (uint8_t)(crc >> 8);
    const int64_t replied_at = now_ns();
    if (write(line, reply, (size_t)size + 2) != size + 2) continue;
    replied_until = replied_at + character * (size + 2);
    fprintf(log, "%.6f %d %d %d %.4f\n", (double)last_at / 1e9, frame[0], first, count,
            (double)(replied_at - last_at) / 1e6);
  }
  printf("{\"silence_violations\": %ld}\n", violations);
  return 0;
}
