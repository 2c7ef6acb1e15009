// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/table_reader.hpp"

#include <algorithm>

namespace watchroom::agent {
namespace {

bool holds(const RowCondition& condition, const TableReader::Objects& column, const Oid& index) {
  const auto cell = column.find(index);
  if (cell == column.end()) return false;
  const auto* text = std::get_if<std::string>(&cell->second);
  if (text && std::ranges::count(condition.texts, readable_text(*text)) > 0) return true;
  const auto number = whole_number(cell->second);
  return number && std::ranges::count(condition.values, *number) > 0;
}

}  // namespace

Result<std::vector<Oid>> TableReader::rows_of(const ObjectSource& source) {
  const auto column = walked(source.oid);
  if (!column) return column.error();
  std::vector<Oid> rows;
  for (const auto& [index, value] : **column)
    if (!source.index || source.index->fits(index)) rows.push_back(index);
  for (const RowCondition& condition : source.rows) {
    const auto other = walked(condition.column);
    if (!other) return other.error();
    std::erase_if(rows, [&](const Oid& index) { return !holds(condition, **other, index); });
  }
  return rows;
}

Result<std::string> TableReader::label_of(const ObjectSource& source, const Oid& index) {
  constexpr std::size_t longest = 64;
  for (const Oid& column : source.label_columns) {
    const auto names = walked(column);
    if (!names) return names.error();
    // A name may stand in the table above: the strip's beside each outlet's index strip.outlet.
    for (Oid row = index; !row.empty(); row.pop_back()) {
      const auto cell = (*names)->find(row);
      if (cell == (*names)->end()) continue;
      const auto* text = std::get_if<std::string>(&cell->second);
      if (std::string label = text ? readable_text(*text) : ""; !label.empty() && label.size() <= longest)
        return label;
      break;
    }
  }
  return std::string{};
}

Result<const TableReader::Objects*> TableReader::walked(const Oid& column) {
  auto known = columns_.find(column);
  if (known == columns_.end()) {
    auto rows = walk_(column);
    if (!rows) return rows.error();
    known = columns_.emplace(column, *std::move(rows)).first;
  }
  return &known->second;
}

}  // namespace watchroom::agent
