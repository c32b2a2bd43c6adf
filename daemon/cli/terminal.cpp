#include "cli/terminal.h"

#include "base/printable.h"
#include "cli/print.h"

#include <unistd.h>

#include <algorithm>
#include <streambuf>
#include <string>

namespace dutybook::cli {

// Gathers whole lines: a character of several bytes may come in pieces.
class TerminalGuard::Plain : public std::streambuf {
public:
    Plain(std::streambuf* bare, std::string kept) : bare_(bare), kept_(std::move(kept)) {}

private:
    int_type overflow(int_type c) override {
        if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
        const char one = traits_type::to_char_type(c);
        return xsputn(&one, 1) == 1 ? c : traits_type::eof();
    }
    std::streamsize xsputn(const char* text, std::streamsize size) override {
        const std::string_view piece(text, static_cast<std::size_t>(size));
        held_ += piece;
        if (piece.find('\n') != std::string_view::npos && !pass(held_.rfind('\n') + 1)) return 0;
        return size;
    }
    int sync() override { return pass(held_.size()) && bare_->pubsync() == 0 ? 0 : -1; }

    bool pass(std::size_t size) {
        const std::string text =
            printable(std::string_view(held_).substr(0, size), std::string::npos, kept_);
        held_.erase(0, size);
        return bare_->sputn(text.data(), static_cast<std::streamsize>(text.size())) ==
               static_cast<std::streamsize>(text.size());
    }

    std::streambuf* bare_;
    const std::string kept_;
    std::string held_;
};

TerminalGuard::TerminalGuard(std::ostream& stream, int descriptor, std::string kept)
    : stream_(stream) {
    if (::isatty(descriptor) == 0) return;
    bare_ = stream.rdbuf();
    plain_ = std::make_unique<Plain>(bare_, std::move(kept));
    stream.rdbuf(plain_.get());
}

TerminalGuard::~TerminalGuard() {
    if (!plain_) return;
    stream_.flush();
    stream_.rdbuf(bare_);
}

std::string over_line(std::string text) {
    text.resize(std::max(text.size(), terminal_width() - 1), ' ');
    return '\r' + text;
}

}  // namespace dutybook::cli
