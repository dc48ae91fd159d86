#include "payment-service/card_brands.h"

enum brand {
    VISA,
    MASTERCARD,
    AMERICAN_EXPRESS,
    DINERS_CLUB,
    TROY,
    DISCOVER,
    JCB,
    UNIONPAY,
    MAESTRO,
    ELO,
    MIR,
    HIPER,
    HIPERCARD,
    NARANJA,
    VERVE,
};

/* Bits for numbers of `first` to `last` digits. */
#define DIGITS(first, last) ((2U << (last)) - (1U << (first)))

static const struct card_brand brands[] = {
    [VISA] = { "visa", DIGITS(16, 16) | DIGITS(18, 19), 3 },
    [MASTERCARD] = { "mastercard", DIGITS(16, 16), 3 },
    [AMERICAN_EXPRESS] = { "american-express", DIGITS(15, 15), 4 },
    [DINERS_CLUB] = { "diners-club", DIGITS(14, 14) | DIGITS(16, 16) | DIGITS(19, 19), 3 },
    [TROY] = { "troy", DIGITS(16, 16), 3 },
    [DISCOVER] = { "discover", DIGITS(16, 16) | DIGITS(19, 19), 3 },
    [JCB] = { "jcb", DIGITS(16, 19), 3 },
    [UNIONPAY] = { "unionpay", DIGITS(14, 19), 3 },
    [MAESTRO] = { "maestro", DIGITS(12, 19), 3 },
    [ELO] = { "elo", DIGITS(16, 16), 3 },
    [MIR] = { "mir", DIGITS(16, 19), 3 },
    [HIPER] = { "hiper", DIGITS(16, 16), 3 },
    [HIPERCARD] = { "hipercard", DIGITS(16, 16), 3 },
    [NARANJA] = { "naranja", DIGITS(16, 16), 3 },
    [VERVE] = { "verve", DIGITS(16, 16) | DIGITS(18, 19), 3 },
};

/* Both ends belong to it, and have the same number of digits. */
static const struct range {
    enum brand brand;
    const char *first, *last;
} ranges[] = {
    { VISA, "4", "4" },
    { MASTERCARD, "51", "55" },
    { MASTERCARD, "2221", "2229" },
    { MASTERCARD, "223", "229" },
    { MASTERCARD, "23", "26" },
    { MASTERCARD, "270", "271" },
    { MASTERCARD, "2720", "2720" },
    { AMERICAN_EXPRESS, "34", "34" },
    { AMERICAN_EXPRESS, "37", "37" },
    { DINERS_CLUB, "300", "305" },
    { DINERS_CLUB, "36", "36" },
    { DINERS_CLUB, "38", "38" },
    { DINERS_CLUB, "39", "39" },
    { TROY, "9792", "9792" },
    { TROY, "650052", "650052" },
    { TROY, "650082", "650083" },
    { TROY, "650092", "650092" },
    { TROY, "650161", "650161" },
    { TROY, "650170", "650170" },
    { TROY, "650173", "650173" },
    { TROY, "650175", "650175" },
    { TROY, "650268", "650268" },
    { TROY, "650271", "650271" },
    { TROY, "650273", "650274" },
    { TROY, "650456", "650457" },
    { TROY, "650836", "650836" },
    { TROY, "650846", "650850" },
    { TROY, "650923", "650923" },
    { TROY, "650987", "650987" },
    { TROY, "650990", "650990" },
    { TROY, "654997", "654997" },
    { TROY, "657366", "657366" },
    { TROY, "657998", "657998" },
    { TROY, "658758", "658758" },
    { TROY, "658767", "658768" },
    { TROY, "65083700", "65083704" },
    { TROY, "65085800", "65085804" },
    { TROY, "65085900", "65085901" },
    { TROY, "65086000", "65086000" },
    { TROY, "65086100", "65086105" },
    { TROY, "65086200", "65086203" },
    { TROY, "65875000", "65875003" },
    { TROY, "65875009", "65875009" },
    { TROY, "65875101", "65875104" },
    { TROY, "65875200", "65875200" },
    { TROY, "65875501", "65875501" },
    { TROY, "65875601", "65875601" },
    { TROY, "65875900", "65875900" },
    { TROY, "65876000", "65876002" },
    { TROY, "65876100", "65876103" },
    { TROY, "65876110", "65876110" },
    { TROY, "65876115", "65876116" },
    { TROY, "65876200", "65876201" },
    { TROY, "65876500", "65876500" },
    { TROY, "65876504", "65876505" },
    { TROY, "65876600", "65876602" },
    { TROY, "65877100", "65877101" },
    { TROY, "65877600", "65877602" },
    { TROY, "65877700", "65877700" },
    { TROY, "65877801", "65877802" },
    { TROY, "65878200", "65878202" },
    { TROY, "65878300", "65878311" },
    { TROY, "65878400", "65878405" },
    { TROY, "65878500", "65878505" },
    { TROY, "65878600", "65878601" },
    { TROY, "65879800", "65879800" },
    { TROY, "65880800", "65880800" },
    { TROY, "65880900", "65880900" },
    { DISCOVER, "6011", "6011" },
    { DISCOVER, "644", "649" },
    { DISCOVER, "65", "65" },
    { JCB, "2131", "2131" },
    { JCB, "1800", "1800" },
    { JCB, "3528", "3589" },
    { UNIONPAY, "620", "620" },
    { UNIONPAY, "62100", "62182" },
    { UNIONPAY, "62184", "62187" },
    { UNIONPAY, "62185", "62197" },
    { UNIONPAY, "62200", "62205" },
    { UNIONPAY, "622010", "622999" },
    { UNIONPAY, "622018", "622018" },
    { UNIONPAY, "62207", "62209" },
    { UNIONPAY, "623", "626" },
    { UNIONPAY, "6270", "6270" },
    { UNIONPAY, "6272", "6272" },
    { UNIONPAY, "6276", "6276" },
    { UNIONPAY, "627700", "627779" },
    { UNIONPAY, "627781", "627799" },
    { UNIONPAY, "6282", "6289" },
    { UNIONPAY, "6291", "6291" },
    { UNIONPAY, "6292", "6292" },
    { UNIONPAY, "810", "810" },
    { UNIONPAY, "8110", "8131" },
    { UNIONPAY, "8132", "8151" },
    { UNIONPAY, "8152", "8163" },
    { UNIONPAY, "8164", "8171" },
    { MAESTRO, "493698", "493698" },
    { MAESTRO, "500000", "504174" },
    { MAESTRO, "504176", "506698" },
    { MAESTRO, "506779", "508999" },
    { MAESTRO, "56", "59" },
    { MAESTRO, "63", "63" },
    { MAESTRO, "67", "67" },
    { MAESTRO, "6", "6" },
    { ELO, "401178", "401178" },
    { ELO, "401179", "401179" },
    { ELO, "438935", "438935" },
    { ELO, "457631", "457631" },
    { ELO, "457632", "457632" },
    { ELO, "431274", "431274" },
    { ELO, "451416", "451416" },
    { ELO, "457393", "457393" },
    { ELO, "504175", "504175" },
    { ELO, "506699", "506778" },
    { ELO, "509000", "509999" },
    { ELO, "627780", "627780" },
    { ELO, "636297", "636297" },
    { ELO, "636368", "636368" },
    { ELO, "650031", "650033" },
    { ELO, "650035", "650051" },
    { ELO, "650405", "650439" },
    { ELO, "650485", "650538" },
    { ELO, "650541", "650598" },
    { ELO, "650700", "650718" },
    { ELO, "650720", "650727" },
    { ELO, "650901", "650978" },
    { ELO, "651652", "651679" },
    { ELO, "655000", "655019" },
    { ELO, "655021", "655058" },
    { MIR, "2200", "2204" },
    { HIPER, "637095", "637095" },
    { HIPER, "63737423", "63737423" },
    { HIPER, "63743358", "63743358" },
    { HIPER, "637568", "637568" },
    { HIPER, "637599", "637599" },
    { HIPER, "637609", "637609" },
    { HIPER, "637612", "637612" },
    { HIPERCARD, "606282", "606282" },
    { NARANJA, "589562", "589562" },
    { NARANJA, "402918", "402918" },
    { NARANJA, "527572", "527572" },
    { VERVE, "506099", "506127" },
    { VERVE, "506129", "506129" },
    { VERVE, "506133", "506150" },
    { VERVE, "506158", "506163" },
    { VERVE, "506166", "506166" },
    { VERVE, "506168", "506168" },
    { VERVE, "506170", "506170" },
    { VERVE, "506173", "506173" },
    { VERVE, "506176", "506180" },
    { VERVE, "506184", "506184" },
    { VERVE, "506187", "506188" },
    { VERVE, "506191", "506191" },
    { VERVE, "506195", "506195" },
    { VERVE, "506197", "506197" },
    { VERVE, "507865", "507865" },
    { VERVE, "507866", "507866" },
    { VERVE, "507868", "507877" },
    { VERVE, "507880", "507888" },
    { VERVE, "507900", "507900" },
    { VERVE, "507941", "507941" },
};

static bool holds(const struct range *range, struct span number)
{
    size_t length = strlen(range->first);

    return number.length >= length && memcmp(number.at, range->first, length) >= 0 &&
           memcmp(number.at, range->last, length) <= 0;
}

/* How many prefixes it has, less one. */
static int64_t width(const struct range *range)
{
    return strtoll(range->last, NULL, 10) - strtoll(range->first, NULL, 10);
}

static bool is_more_special(const struct range *range, const struct range *than)
{
    size_t length = strlen(range->first), other = strlen(than->first);

    return length > other || (length == other && width(range) < width(than));
}

const struct card_brand *card_brands_find(struct span number)
{
    const struct range *best = NULL;

    for (size_t i = 0; i < COUNT_OF(ranges); i++)
        if (holds(&ranges[i], number) && (!best || is_more_special(&ranges[i], best)))
            best = &ranges[i];
    return best ? &brands[best->brand] : NULL;
}
