// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdlib>
#include <memory>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace watchroom::agent {

/// A part of an address or a profile that only its driver understands: a plain struct of the driver's. It
/// cannot be changed, so that copies share it. Asking for it as another type ends the program.
class DriverPart {
 public:
  DriverPart() = default;
  template <typename T>
  requires(!std::is_same_v<T, DriverPart>) DriverPart(T part)
      : type_{&typeid(T)}, part_{std::make_shared<const T>(std::move(part))} {}

  template <typename T>
  const T& as() const {
    if (!type_ || *type_ != typeid(T)) std::abort();
    return *static_cast<const T*>(part_.get());
  }

 private:
  const std::type_info* type_ = nullptr;
  std::shared_ptr<const void> part_;
};

}  // namespace watchroom::agent
