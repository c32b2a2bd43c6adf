#include "core/guarded_journal.h"

#include "base/log.h"
#include "store/journal_mark.h"

namespace dutybook::core {

namespace {

using store::Journal;

class GuardedJournal final : public Journal {
public:
    GuardedJournal(std::string path, std::unique_ptr<Journal> inner, DiskRoom* room)
        : path_(std::move(path)), inner_(std::move(inner)), room_(room) {}

    ~GuardedJournal() override {
        inner_.reset();  // moves the write-ahead log into the file
        if (stopped_) return;
        const auto marked = store::mark_journal_closed(path_);
        if (!marked) {
            log_warning("core", "the journal is not marked as closed",
                        {{"error", marked.error().text()}});
        }
    }

    Result<void> append(std::span<const store::JournalLine> lines, const domain::Frontier& frontier,
                        std::span<const store::Answer> answers, Millis now) override {
        if (room_ != nullptr && room_->full()) return room_->refusal();
        return change([&] { return inner_->append(lines, frontier, answers, now); });
    }
    Result<std::optional<std::string>> answered(const std::string& key) override {
        return inner_->answered(key);
    }
    domain::Writer current_writer() const override { return inner_->current_writer(); }
    Result<void> open_writer(const domain::Writer& writer, std::span<const Reissue> reissued,
                             Millis now) override {
        return change([&] { return inner_->open_writer(writer, reissued, now); });
    }
    std::vector<domain::Writer> writers() const override { return inner_->writers(); }
    std::uint64_t last_seq(std::string_view writer) const override {
        return inner_->last_seq(writer);
    }
    Result<void> visit(const domain::Writer& writer, std::uint64_t from,
                       const Visit& visit) override {
        return inner_->visit(writer, from, visit);
    }
    Result<store::SealRow> plan_seal(store::SealRow row) override {
        return change([&] { return inner_->plan_seal(std::move(row)); });
    }
    Result<void> finish_seal(std::int64_t id, const store::CommitId& commit,
                             std::uint64_t blob_bytes) override {
        return change([&] { return inner_->finish_seal(id, commit, blob_bytes); });
    }
    Result<std::optional<store::SealRow>> unfinished_seal() override {
        return inner_->unfinished_seal();
    }
    Result<std::optional<store::SealRow>> last_seal(std::string_view writer) override {
        return inner_->last_seal(writer);
    }
    std::uint64_t sealed_upto(std::string_view writer) const override {
        return inner_->sealed_upto(writer);
    }
    Result<std::optional<store::SealRow>> find_seal(const store::CommitId& commit) override {
        return inner_->find_seal(commit);
    }
    Result<void> forget(const domain::Writer& writer, std::uint64_t upto) override {
        return change([&] { return inner_->forget(writer, upto); });
    }
    Result<void> check() override { return inner_->check(); }
    Result<std::string> meta(const std::string& key) override { return inner_->meta(key); }
    Result<void> set_meta(const std::string& key, const std::string& value) override {
        return change([&] { return inner_->set_meta(key, value); });
    }

private:
    template <class Change>
    auto change(Change change) -> decltype(change()) {
        if (stopped_) return *stopped_;
        auto changed = change();
        if (changed) return changed;
        if (changed.error().code == Code::Full && room_ != nullptr) {
            room_->note_full();
            return room_->refusal();
        }
        if (changed.error().code == Code::Io) {
            Error error = changed.error();
            stopped_ =
                failure(Code::Io, "the disk refused a write, and writing has stopped", error.text(),
                        "check the disk (dmesg, smartctl), then restart the daemon");
            log_error("core", "writing has stopped", {{"error", error.text()}});
            return *stopped_;
        }
        return changed;
    }

    const std::string path_;
    std::unique_ptr<Journal> inner_;
    DiskRoom* const room_;
    std::optional<Error> stopped_;  // the first refusal of the disk
};

}  // namespace

Result<std::unique_ptr<store::Journal>> open_guarded_journal(const fs::path& file, DiskRoom* room) {
    TRY_ASSIGN(auto inner, store::open_marked_journal(file.string()));
    return std::unique_ptr<store::Journal>(
        std::make_unique<GuardedJournal>(file.string(), std::move(inner), room));
}

}  // namespace dutybook::core
