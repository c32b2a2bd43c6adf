#include "store/git_tips.h"

#include "base/crypto.h"
#include "base/file.h"
#include "store/git_layout.h"

#include <sstream>
#include <system_error>

namespace dutybook::store::git {
namespace {

constexpr const char* file_name = "dutybook-tips";

std::string checksum_line(std::string_view lines) {
    return "blake2b " + hex(blake2b(lines)) + "\n";
}

bool read_line(const std::string& line, Tips& tips) {
    std::istringstream words(line);
    std::string ref;
    VolumeInfo info;
    words >> ref >> info.tip;
    if (!words || !is_commit_id(info.tip)) return false;
    const auto name = VolumeName::parse(ref);
    if (!name) {
        tips.others[ref] = info.tip;
        return true;
    }
    info.name = *name;
    words >> info.first >> info.last >> info.bytes >> info.previous;
    if (!words) return false;
    if (info.previous == "-") info.previous.clear();
    tips.volumes[*name] = info;
    return true;
}

}  // namespace

std::map<std::string, CommitId> Tips::refs() const {
    auto out = others;
    for (const auto& [name, info] : volumes) out[name.ref()] = info.tip;
    return out;
}

Result<void> write_tips(const fs::path& git_dir, const Tips& tips) {
    std::string lines;
    for (const auto& [name, info] : tips.volumes)
        lines += name.ref() + " " + info.tip + " " + std::to_string(info.first) + " " +
                 std::to_string(info.last) + " " + std::to_string(info.bytes) + " " +
                 (info.previous.empty() ? "-" : info.previous) + "\n";
    for (const auto& [ref, tip] : tips.others)
        lines.append(ref).append(" ").append(tip).append("\n");
    return put_file(git_dir, git_dir / file_name, lines + checksum_line(lines));
}

Result<Tips> read_tips(const fs::path& git_dir) {
    Tips tips;
    std::error_code ignored;
    if (!fs::exists(git_dir / file_name, ignored)) return tips;
    TRY_ASSIGN(const auto text, read_file(git_dir / file_name));
    const auto last = text.rfind("blake2b ");
    const auto damaged = failure(Code::Corrupt, "the list of known tips is damaged");
    if (last == std::string::npos || text.substr(last) != checksum_line(text.substr(0, last)))
        return damaged;
    std::istringstream lines(text.substr(0, last));
    for (std::string line; std::getline(lines, line);)
        if (!read_line(line, tips)) return damaged;
    return tips;
}

}  // namespace dutybook::store::git
