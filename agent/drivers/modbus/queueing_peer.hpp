// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// For tests: units on a pty, or behind a serial server, that take each request into a queue and answer one
// after the other, each after its own time; as slow devices do.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "agent/drivers/modbus/frame.hpp"
#include "agent/drivers/modbus/loopback_listener.hpp"

namespace watchroom::agent {

class QueueingPeer {
 public:
  using Clock = std::chrono::steady_clock;
  struct Asked {
    int unit = 0, function = 0, address = 0, count = 0;
  };
  struct Reply {
    std::chrono::milliseconds takes{0};
    bool is_lost = false;  ///< it says nothing
    int exception = 0;     ///< 0: each register holds its own address
    bool has_bad_checksum = false;
  };
  using Habit = std::function<Reply(const Asked&, int number)>;
  enum class Over { pty, tcp };

  QueueingPeer(Over over, Habit habit) : habit_{std::move(habit)}, over_{over} {
    if (over == Over::pty)
      open_pty();
    else
      listen();
    thread_ = std::thread{[this] { run(); }};
  }
  QueueingPeer(const QueueingPeer&) = delete;
  QueueingPeer& operator=(const QueueingPeer&) = delete;
  ~QueueingPeer() {
    stopping_ = true;
    thread_.join();
    for (const int descriptor : {line_, kept_open_, listening_})
      if (descriptor >= 0) ::close(descriptor);
  }

  std::string url(int unit) const {
    return (over_ == Over::pty ? "modbus-rtu://" + path_ + "?baud=115200&parity=N&unit="
                               : "modbus-rtu-tcp://127.0.0.1:" + std::to_string(port_) + "?unit=") +
           std::to_string(unit);
  }
  std::vector<Asked> asked() const {
    const std::lock_guard lock{mutex_};
    return asked_;
  }
  void behave(Habit habit) {
    const std::lock_guard lock{mutex_};
    habit_ = std::move(habit);
  }

 private:
  struct Due {
    Clock::time_point at;
    std::vector<std::uint8_t> frame;
  };

  void open_pty() {
    std::array<char, 128> name{};
    termios raw{};
    ::cfmakeraw(&raw);
    if (::openpty(&line_, &kept_open_, name.data(), &raw, nullptr) != 0) std::abort();
    path_ = name.data();
  }

  void listen() { std::tie(listening_, port_) = listen_on_loopback(); }

  void run() {
    while (!stopping_) {
      std::array<pollfd, 2> waiting{pollfd{line_, POLLIN, 0}, pollfd{listening_, POLLIN, 0}};
      ::poll(waiting.data(), waiting.size(), 2);
      if ((waiting[1].revents & POLLIN) != 0) {
        if (line_ >= 0) ::close(line_);  // what is still to be answered goes to the newest connection
        line_ = ::accept(listening_, nullptr, nullptr);
      } else if (waiting[0].revents != 0) {
        take();
      }
      send_due();
    }
  }

  void take() {
    std::array<std::uint8_t, 256> bytes{};
    const ssize_t got = ::read(line_, bytes.data(), bytes.size());
    if (got <= 0) {
      if (over_ == Over::tcp) {
        ::close(line_);
        line_ = -1;
      }
      return;
    }
    input_.insert(input_.end(), bytes.begin(), bytes.begin() + got);
    while (input_.size() >= request_length()) {
      queue(Bytes{input_}.first(request_length()));
      input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(request_length()));
    }
  }

  /// Of function 43, or of one that reads.
  std::size_t request_length() const { return input_.size() > 1 && input_[1] == 43 ? 7 : 8; }

  void queue(Bytes request) {
    const std::lock_guard lock{mutex_};
    const Asked one{request[0], request[1], request[2] << 8 | request[3], request[4] << 8 | request[5]};
    const Reply reply = habit_(one, static_cast<int>(asked_.size()));
    asked_.push_back(one);
    if (reply.is_lost) return;
    std::vector<std::uint8_t> pdu{request[1]};
    if (reply.exception != 0) {
      pdu = {static_cast<std::uint8_t>(request[1] | exception_flag),
             static_cast<std::uint8_t>(reply.exception)};
    } else {
      pdu.push_back(static_cast<std::uint8_t>(2 * one.count));
      for (int i = one.address; i < one.address + one.count; ++i) {
        pdu.push_back(static_cast<std::uint8_t>(i >> 8));
        pdu.push_back(static_cast<std::uint8_t>(i & 0xff));
      }
    }
    auto& free_at = free_at_[one.unit];
    free_at = std::max(free_at, Clock::now()) + reply.takes;
    auto frame = framed(ModbusFraming::rtu, one.unit, pdu, 0);
    if (reply.has_bad_checksum) frame.back() ^= 0x55;
    due_.push_back({free_at, std::move(frame)});
  }

  void send_due() {
    std::erase_if(due_, [this](const Due& due) {
      if (due.at > Clock::now()) return false;
      // The line may be closed just now: then it is lost, as on a wire.
      if (line_ >= 0 && over_ == Over::tcp)
        ::send(line_, due.frame.data(), due.frame.size(), MSG_NOSIGNAL);
      else if (line_ >= 0 && ::write(line_, due.frame.data(), due.frame.size()) < 0)
        std::abort();
      return true;
    });
  }

  Habit habit_;
  Over over_;
  int line_ = -1, kept_open_ = -1, listening_ = -1, port_ = 0;
  std::string path_;
  std::vector<std::uint8_t> input_;
  std::vector<Due> due_;
  std::map<int, Clock::time_point> free_at_;  // by unit
  mutable std::mutex mutex_;
  std::vector<Asked> asked_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace watchroom::agent
