// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <sqlite3.h>

namespace watchroom::agent {

/// One thing that happened to a file below SQLite.
struct DiskEvent {
  enum class Kind { write, truncate, sync, remove };
  Kind kind;
  std::string file;
  std::size_t offset = 0;  ///< of a write; the new size of a truncate
  std::string bytes = {};
};

// A shim VFS (sqlite.org/vfs.html): everything is passed on to SQLite's own, writes are noted on the way.
namespace recorded {

inline constexpr std::size_t sector = 512;
inline constexpr const char* shim_name = "recorded";

inline sqlite3_vfs& real_vfs(sqlite3_vfs* shim) { return *static_cast<sqlite3_vfs**>(shim->pAppData)[0]; }

/// SQLite's own file follows in the same piece of memory.
struct ShimFile {
  sqlite3_file base;
  std::vector<DiskEvent>* events;  // null: not to be recorded
  const char* name;                // SQLite keeps it until the file is closed

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  void note(DiskEvent::Kind kind, std::size_t offset = 0, std::string bytes = {}) const {
    if (events) events->push_back({kind, std::filesystem::path{name}.filename(), offset, std::move(bytes)});
  }
};

inline ShimFile* shim_of(sqlite3_file* file) { return reinterpret_cast<ShimFile*>(file); }
inline sqlite3_file* real_of(sqlite3_file* file) { return shim_of(file)->real(); }

/// Passes a call on to the same method of SQLite's own file.
template <auto method, typename... Args>
int pass(sqlite3_file* file, Args... args) {
  return (real_of(file)->pMethods->*method)(real_of(file), args...);
}

inline int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  shim_of(file)->note(DiskEvent::Kind::write, static_cast<std::size_t>(offset),
                      {static_cast<const char*>(bytes), static_cast<std::size_t>(size)});
  return pass<&sqlite3_io_methods::xWrite>(file, bytes, size, offset);
}
inline int truncate(sqlite3_file* file, sqlite3_int64 size) {
  shim_of(file)->note(DiskEvent::Kind::truncate, static_cast<std::size_t>(size));
  return pass<&sqlite3_io_methods::xTruncate>(file, size);
}
inline int sync(sqlite3_file* file, int flags) {
  const int code = pass<&sqlite3_io_methods::xSync>(file, flags);
  shim_of(file)->note(DiskEvent::Kind::sync);
  return code;
}
inline void barrier(sqlite3_file* file) { real_of(file)->pMethods->xShmBarrier(real_of(file)); }

inline const sqlite3_io_methods& methods() {
  using Methods = sqlite3_io_methods;
  static const Methods all = [] {
    Methods made{};
    made.iVersion = 2;  // without memory mapping: it would write past us
    made.xClose = pass<&Methods::xClose>;
    made.xRead = pass<&Methods::xRead, void*, int, sqlite3_int64>;
    made.xWrite = write;
    made.xTruncate = truncate;
    made.xSync = sync;
    made.xFileSize = pass<&Methods::xFileSize, sqlite3_int64*>;
    made.xLock = pass<&Methods::xLock, int>;
    made.xUnlock = pass<&Methods::xUnlock, int>;
    made.xCheckReservedLock = pass<&Methods::xCheckReservedLock, int*>;
    made.xFileControl = pass<&Methods::xFileControl, int, void*>;
    made.xSectorSize = pass<&Methods::xSectorSize>;
    made.xDeviceCharacteristics = pass<&Methods::xDeviceCharacteristics>;
    made.xShmMap = pass<&Methods::xShmMap, int, int, int, void volatile**>;
    made.xShmLock = pass<&Methods::xShmLock, int, int, int>;
    made.xShmBarrier = barrier;
    made.xShmUnmap = pass<&Methods::xShmUnmap, int>;
    return made;
  }();
  return all;
}

/// A file as the disk has it, and what has been written since it was last synced.
struct FileOnDisk {
  std::string durable;
  bool exists = false;
  std::vector<const DiskEvent*> unsynced;
};

inline void put(std::string& content, std::size_t offset, std::string_view bytes) {
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size());
  std::copy(bytes.begin(), bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(offset));
}

inline void apply(const DiskEvent& event, FileOnDisk& file) {
  file.exists = event.kind != DiskEvent::Kind::remove;
  if (event.kind == DiskEvent::Kind::write) put(file.durable, event.offset, event.bytes);
  if (event.kind == DiskEvent::Kind::truncate) file.durable.resize(event.offset);
  if (event.kind == DiskEvent::Kind::remove) file.durable.clear();
}

/// Some of its sectors only.
inline void apply_torn(const DiskEvent& event, FileOnDisk& file, std::mt19937& random) {
  file.exists = true;
  for (std::size_t at = 0; at < event.bytes.size();) {
    const std::size_t size = std::min(sector - (event.offset + at) % sector, event.bytes.size() - at);
    if (random() % 2 == 0)
      put(file.durable, event.offset + at, std::string_view{event.bytes}.substr(at, size));
    at += size;
  }
}

inline bool is_removal(const DiskEvent* event) { return event->kind == DiskEvent::Kind::remove; }

inline void finish_removals(FileOnDisk& file) {
  const auto last = std::find_if(file.unsynced.rbegin(), file.unsynced.rend(), is_removal);
  if (last == file.unsynced.rend()) return;
  apply(**last, file);
  file.unsynced.erase(file.unsynced.begin(), last.base());
}

/// A removal that reached the disk takes what came before with it; one that did not, what came after: that
/// went into a new file that has no name yet.
inline void settle_removals(FileOnDisk& file, std::mt19937& random) {
  const auto removal = std::find_if(file.unsynced.begin(), file.unsynced.end(), is_removal);
  if (removal == file.unsynced.end()) return;
  if (random() % 2 == 0) {
    file.unsynced.erase(removal, file.unsynced.end());
  } else {
    apply(**removal, file);
    file.unsynced.erase(file.unsynced.begin(), removal + 1);
  }
  settle_removals(file, random);
}

inline void cut_power(FileOnDisk& file, std::mt19937& random) {
  settle_removals(file, random);
  const unsigned luck = random() % 4;
  if (luck == 0) return;  // nothing came through
  if (luck > 1) std::shuffle(file.unsynced.begin(), file.unsynced.end(), random);
  for (const DiskEvent* event : file.unsynced) {
    if (luck > 1 && random() % 3 == 0) continue;
    if (luck > 1 && event->kind == DiskEvent::Kind::write && random() % 3 == 0)
      apply_torn(*event, file, random);
    else
      apply(*event, file);
  }
}

}  // namespace recorded

/// For tests: takes note of every write and sync that SQLite makes below `folder` while this object lives,
/// and can say what a disk may hold after a power cut. One at a time; it stands before SQLite's own access to
/// files.
class RecordedDisk {
 public:
  explicit RecordedDisk(const std::filesystem::path& folder);
  RecordedDisk(const RecordedDisk&) = delete;
  RecordedDisk& operator=(const RecordedDisk&) = delete;
  ~RecordedDisk();

  /// How many events there are so far: a moment at which the power may fail.
  std::size_t now() const;
  /// Puts into `folder` what may be left of the files when the power fails at `moment`: what was synced, and
  /// of the rest whatever the disk had got to, in any order, sectors torn off.
  void leave_after_power_cut(std::size_t moment, const std::filesystem::path& folder,
                             std::mt19937& random) const;

 private:
  struct Shim;
  std::unique_ptr<Shim> shim_;
};

struct RecordedDisk::Shim {
  sqlite3_vfs* real = nullptr;  // first: real_vfs() reads it
  std::string folder;
  std::vector<DiskEvent> events;
  sqlite3_vfs vfs{};

  bool is_ours(const char* name) const { return name && std::string_view{name}.starts_with(folder); }

  static Shim& of(sqlite3_vfs* vfs) { return *static_cast<Shim*>(vfs->pAppData); }
  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    recorded::ShimFile& shim = *recorded::shim_of(file);
    shim.base.pMethods = nullptr;
    shim.events = of(vfs).is_ours(name) ? &of(vfs).events : nullptr;
    shim.name = name;
    const int code =
        recorded::real_vfs(vfs).xOpen(&recorded::real_vfs(vfs), name, shim.real(), flags, out_flags);
    if (shim.real()->pMethods) shim.base.pMethods = &recorded::methods();
    return code;
  }
  static int remove(sqlite3_vfs* vfs, const char* name, int sync_folder) {
    const int code = recorded::real_vfs(vfs).xDelete(&recorded::real_vfs(vfs), name, sync_folder);
    if (code != SQLITE_OK || !of(vfs).is_ours(name)) return code;
    const std::string file = std::filesystem::path{name}.filename();
    of(vfs).events.push_back({DiskEvent::Kind::remove, file});
    if (sync_folder) of(vfs).events.push_back({DiskEvent::Kind::sync, file});
    return code;
  }
};

inline RecordedDisk::RecordedDisk(const std::filesystem::path& folder) : shim_{std::make_unique<Shim>()} {
  shim_->real = sqlite3_vfs_find(nullptr);
  shim_->folder = folder;
  shim_->vfs = *shim_->real;
  shim_->vfs.pNext = nullptr;
  shim_->vfs.zName = recorded::shim_name;
  shim_->vfs.szOsFile = static_cast<int>(sizeof(recorded::ShimFile)) + shim_->real->szOsFile;
  shim_->vfs.pAppData = shim_.get();
  shim_->vfs.xOpen = Shim::open;
  shim_->vfs.xDelete = Shim::remove;
  if (sqlite3_vfs_register(&shim_->vfs, 1) != SQLITE_OK) std::abort();
}

inline RecordedDisk::~RecordedDisk() {
  sqlite3_vfs_unregister(&shim_->vfs);
  sqlite3_vfs_register(shim_->real, 1);
}

inline std::size_t RecordedDisk::now() const { return shim_->events.size(); }

inline void RecordedDisk::leave_after_power_cut(std::size_t moment, const std::filesystem::path& folder,
                                                std::mt19937& random) const {
  std::map<std::string, recorded::FileOnDisk> files;
  for (std::size_t i = 0; i < moment; ++i) {
    const DiskEvent& event = shim_->events[i];
    recorded::FileOnDisk& file = files[event.file];
    if (event.kind != DiskEvent::Kind::sync) {
      file.unsynced.push_back(&event);
      continue;
    }
    // SQLite syncs the folder with the first sync of a log or journal, and removals with it.
    if (!file.exists && event.file.find(".sqlite-") != std::string::npos)
      for (auto& [name, other] : files) recorded::finish_removals(other);
    for (const DiskEvent* done : file.unsynced) recorded::apply(*done, file);
    file.unsynced.clear();
  }
  for (auto& [name, file] : files) {
    recorded::cut_power(file, random);
    if (file.exists) std::ofstream{folder / name, std::ios::binary} << file.durable;
  }
}

}  // namespace watchroom::agent
