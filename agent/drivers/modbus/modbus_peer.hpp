// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// For tests: a libmodbus server in this process, on a free loopback port or on a pty.
#pragma once

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "agent/drivers/modbus/loopback_listener.hpp"

namespace watchroom::agent {

class ModbusPeer {
 public:
  using Clock = std::chrono::steady_clock;
  struct Asked {
    int unit = 0, function = 0, address = 0, count = 0;  // of functions 5 and 6 the value is the count
    Clock::time_point arrived{}, answered{};
  };
  /// What to do with a request: answer as the registers say, stay silent, refuse, or send these bytes.
  struct Deed {
    enum class Kind { answer, silence, exception, raw, do_but_say_nothing } kind = Kind::answer;
    int exception = 0;
    std::vector<std::uint8_t> bytes = {};
  };

  /// Modbus TCP, any unit.
  ModbusPeer() : context_{modbus_new_tcp("127.0.0.1", 0)}, is_serial_{false} {
    listening_ = modbus_tcp_listen(context_.get(), 4);
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    start();
  }
  /// RTU frames over TCP, as simple serial servers carry them; answers for one unit.
  struct RtuOverTcp {
    int unit;
  };
  explicit ModbusPeer(RtuOverTcp how)
      : context_{modbus_new_rtu("/dev/null", 9600, 'N', 8, 1)}, is_serial_{false}, is_rtu_{true} {
    modbus_set_slave(context_.get(), how.unit);
    std::tie(listening_, port_) = listen_on_loopback();
    start();
  }
  /// Modbus RTU on a pty whose other end is `path()`; answers for one unit.
  explicit ModbusPeer(int unit) : context_{modbus_new_rtu("/dev/null", 9600, 'N', 8, 1)}, is_serial_{true} {
    int other = -1;
    std::array<char, 128> name{};
    termios raw{};
    ::cfmakeraw(&raw);
    if (::openpty(&connected_, &other, name.data(), &raw, nullptr) != 0) std::abort();
    kept_open_ = other;  // or the master would see a hang-up whenever the line is closed
    path_ = name.data();
    modbus_set_slave(context_.get(), unit);
    modbus_set_socket(context_.get(), connected_);
    start();
  }
  ModbusPeer(const ModbusPeer&) = delete;
  ModbusPeer& operator=(const ModbusPeer&) = delete;
  ~ModbusPeer() {
    stopping_ = true;
    thread_.join();
    if (connected_ >= 0) ::close(connected_);
    if (listening_ >= 0) ::close(listening_);
    if (kept_open_ >= 0) ::close(kept_open_);
  }

  int port() const { return port_; }
  const std::string& path() const { return path_; }
  std::string url(int unit) const {
    return is_serial_ ? "modbus-rtu://" + path_ + "?baud=9600&parity=N&unit=" + std::to_string(unit)
                      : (is_rtu_ ? "modbus-rtu-tcp://127" : "modbus-tcp://127") + std::string{".0.0.1:"} +
                            std::to_string(port_) + "?unit=" + std::to_string(unit);
  }

  void set_input(int address, std::vector<std::uint16_t> words) {
    const std::lock_guard lock{mutex_};
    for (std::size_t i = 0; i < words.size(); ++i)
      mapping_->tab_input_registers[static_cast<std::size_t>(address) + i] = words[i];
  }
  void set_holding(int address, std::vector<std::uint16_t> words) {
    const std::lock_guard lock{mutex_};
    for (std::size_t i = 0; i < words.size(); ++i)
      mapping_->tab_registers[static_cast<std::size_t>(address) + i] = words[i];
  }
  void set_coil(int address, bool value) {
    const std::lock_guard lock{mutex_};
    mapping_->tab_bits[address] = value ? 1 : 0;
  }
  bool coil(int address) const {
    const std::lock_guard lock{mutex_};
    return mapping_->tab_bits[address] != 0;
  }
  std::uint16_t holding(int address) const {
    const std::lock_guard lock{mutex_};
    return mapping_->tab_registers[address];
  }
  void set_discrete(int address, bool value) {
    const std::lock_guard lock{mutex_};
    mapping_->tab_input_bits[address] = value ? 1 : 0;
  }
  void behave(std::function<Deed(const Asked&)> deed) {
    const std::lock_guard lock{mutex_};
    deed_ = std::move(deed);
  }
  std::vector<Asked> asked() const {
    const std::lock_guard lock{mutex_};
    return asked_;
  }
  /// Bytes that nobody asked for.
  void send(const std::vector<std::uint8_t>& bytes) {
    if (::write(connected_, bytes.data(), bytes.size()) < 0) std::abort();
  }
  int connections() const { return connections_; }
  void forget() {
    const std::lock_guard lock{mutex_};
    asked_.clear();
  }

 private:
  struct Free {
    void operator()(modbus_t* context) const { modbus_free(context); }
    void operator()(modbus_mapping_t* mapping) const { modbus_mapping_free(mapping); }
  };

  void start() {
    thread_ = std::thread{[this] { run(); }};
  }

  void run() {
    while (!stopping_) {
      std::array<pollfd, 2> waiting{pollfd{connected_, POLLIN, 0}, pollfd{listening_, POLLIN, 0}};
      if (::poll(waiting.data(), waiting.size(), 20) <= 0) continue;
      if ((waiting[1].revents & POLLIN) != 0) accept_one();
      if (waiting[0].revents != 0 && connected_ == waiting[0].fd) serve_one();
    }
  }

  void accept_one() {
    if (connected_ >= 0) ::close(connected_);  // one client at a time, like a simple gateway
    connected_ = ::accept(listening_, nullptr, nullptr);
    if (connected_ >= FD_SETSIZE) {  // libmodbus cannot serve it
      ::close(connected_);
      connected_ = -1;
      return;
    }
    modbus_set_socket(context_.get(), connected_);
    ++connections_;
  }

  void serve_one() {
    std::array<std::uint8_t, MODBUS_MAX_ADU_LENGTH> request{};
    const int length = modbus_receive(context_.get(), request.data());
    if (length == 0) return;  // another unit on the line
    if (length < 0) {
      if (is_serial_) return;
      ::close(connected_);
      connected_ = -1;
      return;
    }
    const auto header = static_cast<std::size_t>(modbus_get_header_length(context_.get()));
    const auto word = [&](std::size_t at) { return request[at] << 8 | request[at + 1]; };
    Asked one{request[header - 1], request[header], word(header + 1), word(header + 3), Clock::now(), {}};
    const std::lock_guard lock{mutex_};
    const Deed deed = deed_ ? deed_(one) : Deed{};
    // Before the write: then a busy machine can only lengthen the silence that is measured from here.
    one.answered = Clock::now();
    switch (deed.kind) {
      case Deed::Kind::answer: modbus_reply(context_.get(), request.data(), length, mapping_.get()); break;
      case Deed::Kind::exception:
        modbus_reply_exception(context_.get(), request.data(), static_cast<unsigned>(deed.exception));
        break;
      case Deed::Kind::raw:
        if (::write(connected_, deed.bytes.data(), deed.bytes.size()) < 0) return;
        break;
      case Deed::Kind::do_but_say_nothing: {
        // The reply goes where nobody listens.
        const int elsewhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        modbus_set_socket(context_.get(), elsewhere);
        modbus_reply(context_.get(), request.data(), length, mapping_.get());
        modbus_set_socket(context_.get(), connected_);
        ::close(elsewhere);
        break;
      }
      case Deed::Kind::silence: break;
    }
    asked_.push_back(one);
  }

  std::unique_ptr<modbus_t, Free> context_;
  std::unique_ptr<modbus_mapping_t, Free> mapping_{modbus_mapping_new(200, 200, 20'000, 20'000)};
  bool is_serial_;
  bool is_rtu_ = false;
  int listening_ = -1;
  int connected_ = -1;
  int kept_open_ = -1;
  int port_ = 0;
  std::string path_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> connections_ = 0;
  mutable std::mutex mutex_;
  std::function<Deed(const Asked&)> deed_;
  std::vector<Asked> asked_;
  std::thread thread_;
};

}  // namespace watchroom::agent
