// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

namespace watchroom::agent {

/// A list that never changes once it is made; copies share it. What thousands of devices of one model have in
/// common is so held once. Threads may read it at the same time.
template <typename T>
class SharedList {
 public:
  SharedList() = default;
  SharedList(std::vector<T> items) : items_{std::make_shared<const std::vector<T>>(std::move(items))} {}
  SharedList(std::initializer_list<T> items) : SharedList{std::vector<T>{items}} {}

  const std::vector<T>& items() const {
    static const std::vector<T> none;
    return items_ ? *items_ : none;
  }
  auto begin() const { return items().begin(); }
  auto end() const { return items().end(); }
  std::size_t size() const { return items().size(); }
  bool empty() const { return items().empty(); }
  const T& operator[](std::size_t index) const { return items()[index]; }
  /// The very same list, not only an equal one.
  bool is_same(const SharedList& other) const { return items_ == other.items_; }
  bool operator==(const SharedList& other) const {
    return items_ == other.items_ || items() == other.items();
  }

 private:
  std::shared_ptr<const std::vector<T>> items_;
};

}  // namespace watchroom::agent
