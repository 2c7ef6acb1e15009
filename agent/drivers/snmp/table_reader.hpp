// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "agent/drivers/snmp/object_value.hpp"
#include "proto/base/result.hpp"

namespace watchroom::agent {

/// Which rows of a device's tables a profile means. Every column is walked once.
class TableReader {
 public:
  using Objects = std::map<Oid, ObjectValue>;
  /// What stands below a column, by index.
  using Walk = std::function<Result<Objects>(const Oid& column)>;

  explicit TableReader(Walk walk) : walk_{std::move(walk)} {}

  /// The indices, in order.
  Result<std::vector<Oid>> rows_of(const ObjectSource& source);

  /// What the device itself calls a row; empty: nothing. A device without that column has no names.
  Result<std::string> label_of(const ObjectSource& source, const Oid& index);

 private:
  Result<const Objects*> walked(const Oid& column);

  Walk walk_;
  std::map<Oid, Objects> columns_;
};

}  // namespace watchroom::agent
