// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/object_write.hpp"

#include <cmath>
#include <limits>

#include "agent/drivers/conversion.hpp"

namespace watchroom::agent {
namespace {

// RFC 3416 3, error-status.
constexpr int no_such_name = 2, bad_value = 3, read_only = 4, general_error = 5, no_access = 6,
              wrong_type = 7, wrong_length = 8, wrong_encoding = 9, wrong_value = 10, no_creation = 11,
              inconsistent_value = 12, resource_unavailable = 13, commit_failed = 14, undo_failed = 15,
              authorization_error = 16, not_writable = 17, inconsistent_name = 18;

std::string_view text_of(int status) {
  switch (status) {
    // SNMPv1 has no other word for what a community may not write (RFC 2576 4.3).
    case no_such_name: return "noSuchName: there is no such object, or the community may only read";
    case bad_value: return "badValue";
    case read_only: return "readOnly";
    case general_error: return "genErr";
    case no_access: return "noAccess: the community or user may only read";
    case wrong_type: return "wrongType: the object is of another type than the profile says";
    case wrong_length: return "wrongLength";
    case wrong_encoding: return "wrongEncoding";
    case wrong_value: return "wrongValue";
    case no_creation: return "noCreation: there is no such object";
    case inconsistent_value: return "inconsistentValue: not now";
    case resource_unavailable: return "resourceUnavailable";
    case commit_failed: return "commitFailed";
    case undo_failed: return "undoFailed";
    case authorization_error: return "authorizationError";
    case not_writable: return "notWritable: the object is only read";
    case inconsistent_name: return "inconsistentName";
    default: return "an unknown error";
  }
}

/// Whether a device that answers with this may have done it all the same.
bool leaves_doubt(int status) {
  return status == general_error || status == commit_failed || status == undo_failed;
}

}  // namespace

Result<std::int64_t> content_for(const PointSource& source, const Value& value) {
  const ObjectWrite& write = *source.where.as<ObjectSource>().write;
  const Conversion& conversion = source.conversion;
  const auto number = watchroom::number_of(value);
  if (!number) return fail(Errc::invalid, Retry::never, "\"{}\" is no number", to_text(value));
  if (conversion.unit == Unit::state) {
    const auto content = write.contents.find(static_cast<std::int64_t>(*number));
    if (content == write.contents.end())
      return fail(Errc::invalid, Retry::never, "the point cannot be set to {}", *number);
    return content->second;
  }
  if (*number < conversion.least_plausible || *number > conversion.most_plausible)
    return fail(Errc::invalid, Retry::never, "{} is not plausible, expected {} to {}", *number,
                *conversion.least_plausible, *conversion.most_plausible);
  const double raw = unscaled(*number, conversion, 1.0);
  const double whole = std::round(raw);
  if (std::abs(whole - raw) > 1e-6 * std::max(1.0, std::abs(raw)))
    return fail(Errc::invalid, Retry::never, "{} lies between two steps of the device", *number);
  const double least = write.is_unsigned ? 0.0 : std::numeric_limits<std::int32_t>::min();
  const double most = write.is_unsigned ? std::numeric_limits<std::uint32_t>::max()
                                        : std::numeric_limits<std::int32_t>::max();
  if (whole < least || whole > most)
    return fail(Errc::invalid, Retry::never, "{} does not fit into the object", *number);
  return static_cast<std::int64_t>(whole);
}

Result<WriteOutcome> set_object(SnmpSession& session, const PointSource& source, const Value& value) {
  const auto& object = source.where.as<ObjectSource>();
  if (!object.write)
    return fail(Errc::invalid, Retry::never, "the profile does not let this point be written");
  const auto content = content_for(source, value);
  if (!content) return content.error();
  const auto reply = session.set(object.write->oid, *content, object.write->is_unsigned);
  WriteOutcome outcome;
  if (!reply) {
    if (reply.error().code != Errc::no_answer) return in(reply.error(), "nothing was written");
    outcome.doubt = reply.error().text;
  } else if (leaves_doubt(reply->error)) {
    outcome.doubt = text_of(reply->error);
  } else if (reply->error != 0) {
    return fail(Errc::refused, Retry::never, "the device refused it: {}", text_of(reply->error));
  }
  return outcome;
}

bool is_alike(const Reading& reading, const Value& wanted) {
  const auto number = reading.value ? watchroom::number_of(*reading.value) : std::nullopt;
  const auto other = watchroom::number_of(wanted);
  return number && other && std::abs(*number - *other) <= 1e-6 * std::max(1.0, std::abs(*other));
}

}  // namespace watchroom::agent
