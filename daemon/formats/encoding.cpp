#include "formats/encoding.h"

#include <iconv.h>
#include <simdjson.h>

#include <memory>
#include <string_view>

namespace dutybook::formats {

namespace {

struct Close {
    void operator()(void* converter) const { iconv_close(converter); }
};

Result<std::string> converted(std::string_view bytes, const char* encoding) {
    iconv_t const opened = iconv_open("UTF-8", encoding);
    // iconv's own word for failure.
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    if (opened == reinterpret_cast<iconv_t>(-1)) {
        return failure(Code::Internal, std::string("no converter from ") + encoding);
    }
    const std::unique_ptr<void, Close> converter(opened);
    std::string out(bytes.size() * 3, '\0');  // no letter of these encodings needs more
    char* from = const_cast<char*>(bytes.data());
    char* to = out.data();
    std::size_t left = bytes.size(), room = out.size();
    if (iconv(converter.get(), &from, &left, &to, &room) == static_cast<std::size_t>(-1)) {
        return failure(
            Code::Malformed, "the text is damaged",
            std::string("not ") + encoding + " at byte " + std::to_string(bytes.size() - left),
            "save it as UTF-8");
    }
    out.resize(out.size() - room);
    return out;
}

const char* utf16_of(std::string_view bytes) {
    if (bytes.starts_with("\xFF\xFE")) return "UTF-16LE";
    if (bytes.starts_with("\xFE\xFF")) return "UTF-16BE";
    // A table begins with a letter of its first column's name.
    if (bytes.size() < 4 || bytes.size() % 2 != 0) return nullptr;
    if (bytes[0] != 0 && bytes[1] == 0 && bytes[3] == 0) return "UTF-16LE";
    return bytes[0] == 0 && bytes[1] != 0 && bytes[2] == 0 ? "UTF-16BE" : nullptr;
}

}  // namespace

Result<Decoded> decoded(std::string bytes) {
    constexpr std::string_view mark = "\xEF\xBB\xBF";
    if (const char* const wide = utf16_of(bytes)) {
        TRY_ASSIGN(std::string text, converted(bytes, wide));
        if (text.starts_with(mark)) text.erase(0, mark.size());
        return Decoded{std::move(text), "UTF-16"};
    }
    if (bytes.starts_with(mark)) bytes.erase(0, mark.size());
    if (simdjson::validate_utf8(bytes)) return Decoded{std::move(bytes), ""};
    constexpr const char* western = "WINDOWS-1252";
    TRY_ASSIGN(std::string text, converted(bytes, western));
    return Decoded{std::move(text), "Windows-1252"};
}

}  // namespace dutybook::formats
