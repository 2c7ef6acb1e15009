// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

namespace watchroom {

/// What went wrong, as a bounded word: it becomes a metric label and the `quality` reason of a reading.
enum class Errc {
  no_answer,       ///< a peer kept silent until the deadline
  not_connected,   ///< there is no connection, or it was refused or lost
  refused,         ///< the peer answered, and said no
  not_authorized,  ///< wrong password, key, community or certificate
  corrupt,         ///< an answer, a file or a payload that cannot be what it should be
  invalid,         ///< the caller's input is wrong
  not_found,
  conflict,  ///< the thing is already there, or was changed by somebody else
  full,      ///< a queue, disk or table has no room
  io,        ///< the operating system or the database failed
  cancelled,
};

/// Whether doing the same thing again may help.
enum class Retry { now, later, never };

std::string_view name_of(Errc code);

/// An error of the outside world. `text` grows a prefix at each level (`in`) until it reads as a sentence.
struct Error {
  Errc code = Errc::io;
  Retry retry = Retry::never;
  std::string text;
};

template <typename... Args>
[[nodiscard]] Error fail(Errc code, Retry retry, fmt::format_string<Args...> format, Args&&... args) {
  return Error{code, retry, fmt::format(format, std::forward<Args>(args)...)};
}

[[nodiscard]] inline Error in(Error error, std::string_view where) {
  error.text = fmt::format("{}: {}", where, error.text);
  return error;
}

/// A value or the reason why there is none. Reading the wrong one is a programmer's error and aborts.
/// (g++ 12 has no std::expected in C++20; this is the one file to replace.)
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_{std::in_place_index<0>, std::move(value)} {}
  Result(Error error) : held_{std::in_place_index<1>, std::move(error)} {}

  explicit operator bool() const { return held_.index() == 0; }
  T& operator*() & { return get(); }
  const T& operator*() const& { return const_cast<Result*>(this)->get(); }
  T&& operator*() && { return std::move(get()); }
  T* operator->() { return &get(); }
  const T* operator->() const { return &const_cast<Result*>(this)->get(); }

  const Error& error() const {
    if (held_.index() != 1) std::abort();
    return std::get<1>(held_);
  }
  std::optional<T> as_optional() && {
    if (held_.index() == 0) return std::get<0>(std::move(held_));
    return std::nullopt;
  }

 private:
  T& get() {
    if (held_.index() != 0) std::abort();
    return std::get<0>(held_);
  }
  std::variant<T, Error> held_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_{std::move(error)} {}

  explicit operator bool() const { return !error_; }
  const Error& error() const {
    if (!error_) std::abort();
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace watchroom
