// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>

#include <mbedtls/error.h>

namespace watchroom {

/// An mbedTLS object that is made and freed by its own functions.
template <typename T, void (*begin)(T*), void (*end)(T*)>
class Mbed {
 public:
  Mbed() { begin(&object_); }
  Mbed(const Mbed&) = delete;
  Mbed& operator=(const Mbed&) = delete;
  ~Mbed() { end(&object_); }

  T* get() { return &object_; }
  const T* get() const { return &object_; }
  T* operator->() { return &object_; }
  const T* operator->() const { return &object_; }

 private:
  T object_;
};

/// What a code of mbedTLS means, in its own words.
inline std::string mbed_reason(int code) {
  char words[160] = "";
  mbedtls_strerror(code, words, sizeof words);
  return words;
}

}  // namespace watchroom
