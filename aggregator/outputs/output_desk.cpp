// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/outputs/output_desk.hpp"

#include "aggregator/identity/secret.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view prefix = "local_output[";
constexpr std::size_t most_selections = 1'000;
const ToldOfOutput nothing_told;

// As the agent tells them (agent/judge): the numbers are on the wire.
std::string_view state_named(std::int64_t code) {
  switch (code) {
    case 0: return "off";
    case 1: return "on";
    case 2: return "failed";
    case 3: return "inhibited";
    case 5: return "on_by_others";
    default: return "unknown";
  }
}

std::optional<std::int64_t> integer_of(const std::optional<Value>& value) {
  if (!value) return std::nullopt;
  const auto number = watchroom::number_of(*value);
  return number ? std::optional{static_cast<std::int64_t>(*number)} : std::nullopt;
}

/// "siren" and "state" of "local_output[siren].state".
std::optional<std::pair<std::string, std::string_view>> output_of(std::string_view name) {
  if (!name.starts_with(prefix)) return std::nullopt;
  const auto end = name.rfind("].");
  if (end == std::string_view::npos) return std::nullopt;
  return std::pair{std::string{name.substr(prefix.size(), end - prefix.size())}, name.substr(end + 2)};
}

void take(const PointView& point, std::string_view what, bool is_online, ToldOfOutput& told) {
  const auto number = integer_of(point.has_good_value() ? point.value : point.last_value);
  if (!number) return;
  if (what == "order") told.order = static_cast<std::uint64_t>(*number);
  if (what == "refused") told.refused = static_cast<std::uint64_t>(*number);
  if (what == "progress") told.progress = static_cast<OutputProgress>(*number);
  if (what != "state") return;
  told.state = state_named(*number);
  told.is_live = is_online && point.has_good_value();
  told.at = point.has_good_value() ? std::optional{point.taken_at} : point.last_value_at;
}

bool is_held(OrderProgress progress) {
  return progress == OrderProgress::under_way || progress == OrderProgress::done ||
         progress == OrderProgress::overruled;
}

std::string name_of(const OutputPlace& place) {
  return fmt::format("{}/{}/{}", place.site, place.agent, place.output);
}

Error selection_lost() {
  return fail(Errc::conflict, Retry::never,
              "the selection ran out, was used, or is somebody else's: select again");
}

}  // namespace

OutputDesk::OutputDesk(OutputBook book, const Room& room, SendOutputOrder send, const Clock& clock,
                       AuditTrail& audit, const Log& log)
    : book_{std::move(book)},
      room_{room},
      send_{std::move(send)},
      clock_{clock},
      audit_{audit},
      log_{log.tagged("outputs")} {
  if (auto all = book_.unfinished())
    for (KeptOrder& order : *all) orders_[order.place].push_back(std::move(order));
  else
    log_.error("{}", all.error().text);
}

OutputDesk::~OutputDesk() { stop(); }

void OutputDesk::start() {
  thread_ = std::thread{[this] {
    std::unique_lock lock{mutex_};
    while (!is_stopping_) {
      changed_.wait_for(lock, pause());
      lock.unlock();
      look();
      lock.lock();
    }
  }};
}

void OutputDesk::stop() {
  {
    const std::lock_guard lock{mutex_};
    is_stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

/// Somebody waits for what becomes of an order that was just given.
std::chrono::milliseconds OutputDesk::pause() const {
  for (const auto& [place, orders] : orders_)
    for (const KeptOrder& order : orders)
      if (order.progress == OrderProgress::sent || order.progress == OrderProgress::under_way) return 250ms;
  return 2s;
}

void OutputDesk::look() {
  const Told all = told();
  const std::lock_guard lock{mutex_};
  const Timestamp now = clock_.now();
  std::erase_if(selections_, [&](const auto& one) { return one.second.ends < clock_.steady(); });
  for (auto& [place, orders] : orders_) {
    const auto at = all.find(place);
    const ToldOfOutput& told = at == all.end() ? nothing_told : at->second;
    for (KeptOrder& order : orders)
      if (!is_over(order, now))
        if (auto step = step_of(order, told, now)) move_on(order, *std::move(step));
    const std::uint64_t last = orders.back().number;
    std::erase_if(orders, [&](const KeptOrder& one) { return one.number != last && is_over(one, now); });
  }
}

void OutputDesk::move_on(KeptOrder& order, OrderStep step) {
  const OrderProgress before = std::exchange(order.progress, step.progress);
  order.reason = std::move(step.reason);
  order.progress_at = clock_.now();
  if (const auto kept = book_.update(order); !kept) log_.error("{}", kept.error().text);
  const std::string_view progress = aggregator::name_of(order.progress);
  log_.info("order {} to {}: {}{}{}", order.number, name_of(order.place), progress,
            order.reason.empty() ? "" : ": ", order.reason);
  // What ends before it was done was not done.
  const bool is_good = order.progress == OrderProgress::under_way || order.progress == OrderProgress::done ||
                       (order.progress == OrderProgress::ended && is_held(before));
  audit_.record({.who = "system",
                 .action = "output.outcome",
                 .object = name_of(order.place),
                 .outcome = is_good ? Outcome::done : Outcome::failed,
                 .detail = fmt::format("order {} of {}: {}{}{}", order.number, order.by, progress,
                                       order.reason.empty() ? "" : ": ", order.reason)});
}

Result<std::vector<OutputView>> OutputDesk::outputs() const {
  const Told all = told();
  const std::lock_guard lock{mutex_};
  std::vector<OutputView> views;
  for (const auto& [place, told] : all) views.push_back(view_of(place, told));
  return views;
}

OutputView OutputDesk::view_of(const OutputPlace& place, const ToldOfOutput& told) const {
  OutputView view{place, told.state, told.is_live, told.at, std::nullopt, std::nullopt};
  const KeptOrder* last = last_of(place);
  if (!last) return view;
  view.order = *last;
  for (const KeptOrder& order : orders_.at(place))
    if (order.number != last->number && is_held(order.progress)) view.held = order;
  return view;
}

const KeptOrder* OutputDesk::last_of(const OutputPlace& place) const {
  const auto at = orders_.find(place);
  return at == orders_.end() || at->second.empty() ? nullptr : &at->second.back();
}

KeptOrder* OutputDesk::find(const OutputPlace& place, std::uint64_t number) {
  for (KeptOrder& order : orders_[place])
    if (order.number == number) return &order;
  return nullptr;
}

Result<OutputSelection> OutputDesk::select(const OutputPlace& place, const OutputWish& wish,
                                           const std::string& by) {
  const std::lock_guard lock{mutex_};
  const Told all = told();
  const auto at = all.find(place);
  if (at == all.end()) return fail(Errc::not_found, Retry::never, "there is no output {}", name_of(place));
  if (!at->second.is_live)
    return fail(Errc::conflict, Retry::later, "the agent is away: the output {} cannot be ordered",
                place.output);
  // One person has one selection of an output; so nobody fills the room for all.
  std::erase_if(selections_, [&](const auto& one) {
    return one.second.by == by && one.second.selection.output.place == place;
  });
  if (selections_.size() >= most_selections)
    return fail(Errc::full, Retry::later, "too many outputs are selected just now");
  OutputSelection selection{new_session_id(), clock_.now() + selection_lasts, view_of(place, at->second),
                            wish};
  selections_[selection.id] = {selection, by, clock_.steady() + selection_lasts};
  return selection;
}

/// Good once, for whoever made it.
Result<OutputDesk::Selected> OutputDesk::take_selection(const OutputPlace& place, const std::string& id,
                                                        const std::string& by) {
  const auto at = selections_.find(id);
  if (at == selections_.end() || at->second.by != by || at->second.selection.output.place != place)
    return selection_lost();
  Selected selected = std::move(at->second);
  selections_.erase(at);
  if (selected.ends < clock_.steady()) return selection_lost();
  return selected;
}

Result<KeptOrder> OutputDesk::order(const OutputPlace& place, const std::string& id, const std::string& by) {
  std::unique_lock lock{mutex_};
  auto selected = take_selection(place, id, by);
  if (!selected) return selected.error();
  const Told all = told();
  const auto now_told = all.find(place);
  const OutputView& shown = selected->selection.output;
  const KeptOrder* last = last_of(place);
  const bool is_as_shown = now_told != all.end() && now_told->second.is_live &&
                           now_told->second.state == shown.state &&
                           (last ? last->number : 0) == (shown.order ? shown.order->number : 0);
  if (!is_as_shown)
    return fail(
        Errc::conflict, Retry::never,
        "the output {} is no longer as it was shown ({}), or somebody else has ordered it: select again",
        place.output, shown.state);
  KeptOrder fresh;
  fresh.place = place;
  fresh.wish = selected->selection.wish;
  fresh.by = by;
  fresh.at = fresh.progress_at = clock_.now();
  auto kept = book_.add(std::move(fresh));
  if (!kept) return kept.error();
  orders_[place].push_back(*kept);
  lock.unlock();  // the signing key's file may be in somebody else's hands
  const auto sent = send_(*kept);
  lock.lock();
  if (sent) {
    changed_.notify_all();
    return *kept;
  }
  if (KeptOrder* order = find(place, kept->number))
    move_on(*order, {OrderProgress::refused, sent.error().text});
  return sent.error();
}

Result<std::vector<KeptOrder>> OutputDesk::history(const OutputPlace& place, std::size_t limit) const {
  const std::lock_guard lock{mutex_};
  return book_.history(place, limit);
}

OutputDesk::Told OutputDesk::told() const {
  using Agent = std::pair<std::string, std::string>;
  std::map<Agent, bool> is_online;
  for (const AgentView& agent : room_.agents(0))
    is_online[{agent.site, agent.agent}] = agent.state == "online";
  const auto is_of_it = [](const PointView& point) {
    return point.device == "self" && (point.name.starts_with(prefix) || point.name == "event.text");
  };
  Told all;
  std::map<Agent, std::string> events;
  for (const PointView& point : room_.points(0, is_of_it)) {
    const Agent agent{point.site, point.agent};
    if (const auto output = output_of(point.name)) {
      if (point.is_reported)
        take(point, output->second, is_online[agent], all[{point.site, point.agent, output->first}]);
    } else if (const auto* text = point.value ? std::get_if<std::string>(&*point.value) : nullptr) {
      events[agent] = *text;
    }
  }
  for (auto& [place, told] : all)
    if (const auto at = events.find({place.site, place.agent}); at != events.end()) told.event = at->second;
  return all;
}

}  // namespace watchroom::aggregator
