"""What is a plausible value for a key of a given name?

`FIELDS` maps a key to a function of a seeded random generator. A record is a choice of keys, so one table serves all
the record kinds and also the "arbitrary keys" documents that teach the model to follow the keys a prompt lists.
"""

import random
import uuid
from typing import Any, Callable

import word_pools as pools

Rng = random.Random
FieldMaker = Callable[[Rng], Any]


def pick(rng: Rng, values: list) -> Any:
    """One value of a pool."""
    return rng.choice(values)


def some(rng: Rng, values: list, low: int, high: int) -> list:
    """Between `low` and `high` different values of a pool."""
    return rng.sample(values, rng.randint(low, min(high, len(values))))


def full_name(rng: Rng) -> str:
    return f"{pick(rng, pools.FIRST_NAMES)} {pick(rng, pools.LAST_NAMES)}"


def ascii_lower(text: str) -> str:
    """Lower-cased, with everything outside a-z dropped: what fits in an e-mail address or a URL."""
    return "".join(c for c in text.lower() if "a" <= c <= "z") or "info"


def email(rng: Rng) -> str:
    first, last = ascii_lower(pick(rng, pools.FIRST_NAMES)), ascii_lower(pick(rng, pools.LAST_NAMES))
    return rng.choice([f"{first}.{last}", f"{first}{rng.randint(1, 99)}", first]) + "@" + pick(rng, pools.DOMAINS)


def url(rng: Rng) -> str:
    path = ascii_lower(pick(rng, pools.NOUNS))
    return rng.choice([f"https://{pick(rng, pools.DOMAINS)}/{path}", f"https://www.{path}.example",
                       f"https://{pick(rng, pools.DOMAINS)}/{path}/{rng.randint(1, 999)}"])


def phone(rng: Rng) -> str:
    return rng.choice([f"+1-555-{rng.randint(100, 999)}-{rng.randint(1000, 9999)}",
                       f"+44 20 {rng.randint(1000, 9999)} {rng.randint(1000, 9999)}", f"555-{rng.randint(1000, 9999)}"])


def date(rng: Rng) -> str:
    return f"{rng.randint(1990, 2026)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def clock_time(rng: Rng) -> str:
    minute = rng.choice([0, 0, 15, 30, 30, 45, rng.randint(0, 59)])
    return f"{rng.randint(0, 23):02}:{minute:02}" + rng.choice(["", "", ":00"])


def date_time(rng: Rng) -> str:
    return (f"{date(rng)}T{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}"
            + rng.choice(["Z", "Z", "Z", "+01:00", "-05:00", ".000Z"]))


def uuid4(rng: Rng) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def book_title(rng: Rng) -> str:
    adjective, noun = pick(rng, pools.ADJECTIVES), pick(rng, pools.NOUNS)
    return rng.choice([f"The {adjective} {noun}", f"{adjective} {noun}", f"The {noun} of {pick(rng, pools.NOUNS)}",
                       f"A {noun} in {pick(rng, pools.CITIES)}", f"{noun} and {pick(rng, pools.NOUNS)}"])


def isbn(rng: Rng) -> str:
    return rng.choice([f"978-{rng.randint(0, 9)}-{rng.randint(100, 999)}-{rng.randint(10000, 99999)}-{rng.randint(0, 9)}",
                       f"978{rng.randint(10**9, 10**10 - 1)}"])


def price(rng: Rng) -> float:
    return rng.choice([rng.randint(1, 199) + 0.99, round(rng.uniform(1, 500), 2), rng.randint(1, 300)])


def skills(rng: Rng) -> list[str]:
    return some(rng, pools.SKILLS, 1, 6)


def duration(rng: Rng) -> str:
    n_years = rng.randint(1, 9)
    start = rng.randint(1998, 2022)
    return rng.choice([f"{n_years} years" if n_years > 1 else "1 year", f"{rng.randint(2, 11)} months",
                       f"{start}-{start + n_years}"])


def work_history(rng: Rng) -> list[dict]:
    """The LMDeploy guide's example shape, sometimes with one more key."""
    jobs = []
    for _ in range(rng.randint(1, 3)):
        job = {"company": pick(rng, pools.COMPANIES), "duration": duration(rng)}
        if rng.random() < 0.3:
            job = {"company": job["company"], "position": pick(rng, pools.JOB_TITLES), "duration": job["duration"]}
        jobs.append(job)
    return jobs


def address(rng: Rng) -> dict:
    value = {"street": f"{rng.randint(1, 250)} {pick(rng, pools.STREETS)}", "city": pick(rng, pools.CITIES)}
    if rng.random() < 0.5:
        value[rng.choice(["zip", "postal_code"])] = f"{rng.randint(10000, 99999)}"
    if rng.random() < 0.6:
        value["country"] = pick(rng, pools.COUNTRIES)
    return value


def coordinates(rng: Rng) -> Any:
    latitude, longitude = round(rng.uniform(-60, 70), 4), round(rng.uniform(-180, 180), 4)
    return rng.choice([[latitude, longitude], {"lat": latitude, "lon": longitude},
                       {"latitude": latitude, "longitude": longitude}])


def line_items(rng: Rng) -> list[dict]:
    items = []
    for product in some(rng, pools.PRODUCTS, 1, 3):
        item = {"product": product, "quantity": rng.randint(1, 6), "price": price(rng)}
        if rng.random() < 0.25:
            item = {"sku": sku(rng), **item}
        items.append(item)
    return items


def sku(rng: Rng) -> str:
    return f"{rng.choice('ABCDEFGHKLMNPQRSTX')}{rng.choice('ABCDEFGHKLMNPQRSTX')}-{rng.randint(100, 9999)}"


def ingredients(rng: Rng) -> list:
    names = some(rng, pools.INGREDIENTS, 2, 5)
    if rng.random() < 0.4:
        return names
    return [{"name": name, "amount": rng.choice([1, 2, 3, 0.5, 50, 100, 200, 250, 500]), "unit": pick(rng, pools.UNITS)}
            for name in names]


def attendees(rng: Rng) -> list:
    if rng.random() < 0.6:
        return [full_name(rng) for _ in range(rng.randint(1, 4))]
    return [{"name": full_name(rng), "email": email(rng)} for _ in range(rng.randint(1, 2))]


def forecast(rng: Rng) -> list[dict]:
    return [{"day": day, "high": rng.randint(5, 35), "low": rng.randint(-10, 15), "condition": pick(rng, pools.CONDITIONS)}
            for day in some(rng, ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"], 1, 3)]


def children(rng: Rng) -> list[dict]:
    return [{"name": pick(rng, pools.FIRST_NAMES), "age": rng.randint(0, 17)} for _ in range(rng.randint(0, 3))]


def pet(rng: Rng) -> dict:
    return {"name": pick(rng, pools.PET_NAMES), "species": pick(rng, pools.ANIMALS), "age": rng.randint(1, 15)}


def note(rng: Rng) -> str:
    """Free text; one in four has an escape or a multi-byte character in it."""
    text = pick(rng, pools.NOTE_SENTENCES)
    if rng.random() < 0.25:
        text = rng.choice([f"He said \"{text}\"", f"{text}\n{pick(rng, pools.NOTE_SENTENCES)}",
                           f"{text} {pick(rng, pools.EMOJI)}", f"C:\\files\\{ascii_lower(pick(rng, pools.NOUNS))}.txt"])
    return text


def summary(rng: Rng) -> str:
    noun, place = pick(rng, pools.NOUNS).lower(), pick(rng, pools.CITIES)
    return rng.choice([f"A story about a {noun} in {place}.", f"{pick(rng, pools.FIRST_NAMES)} finds a {noun} and leaves {place}.",
                       f"A {pick(rng, pools.ADJECTIVES).lower()} {noun} changes the life of a family in {place}."])


def biography(rng: Rng) -> str:
    first = pick(rng, pools.FIRST_NAMES)
    return (f"{first} is a {pick(rng, pools.JOB_TITLES).lower()} from {pick(rng, pools.CITIES)} "
            f"who likes {pick(rng, pools.HOBBIES)}.")


def maybe_null(maker: FieldMaker, chance: float = 0.25) -> FieldMaker:
    """The field, or null one time in `1 / chance`."""
    return lambda rng: None if rng.random() < chance else maker(rng)


def labels(*values: str) -> FieldMaker:
    """An enum-like field."""
    return lambda rng: rng.choice(values)


def from_pool(pool: list[str]) -> FieldMaker:
    return lambda rng: pick(rng, pool)


def integer(low: int, high: int) -> FieldMaker:
    return lambda rng: rng.randint(low, high)


def decimal(low: float, high: float, n_digits: int = 1) -> FieldMaker:
    return lambda rng: round(rng.uniform(low, high), n_digits)


def boolean(rng: Rng) -> bool:
    return rng.random() < 0.5


def several(pool: list[str], low: int, high: int) -> FieldMaker:
    return lambda rng: some(rng, pool, low, high)


FIELDS: dict[str, FieldMaker] = {
    # People.
    "name": full_name, "full_name": full_name, "author": full_name, "director": full_name, "customer": full_name,
    "manager": full_name, "organizer": full_name, "assignee": maybe_null(full_name),
    "first_name": from_pool(pools.FIRST_NAMES), "last_name": from_pool(pools.LAST_NAMES),
    "nickname": maybe_null(from_pool(pools.FIRST_NAMES)), "username": lambda rng: email(rng).split("@")[0],
    "age": integer(18, 90), "gender": labels("female", "male", "other"), "email": email, "phone": phone,
    "occupation": from_pool(pools.JOB_TITLES), "job": from_pool(pools.JOB_TITLES), "title": book_title,
    "company": from_pool(pools.COMPANIES), "department": from_pool(pools.DEPARTMENTS), "salary": integer(20000, 150000),
    "skills": skills, "hobbies": several(pools.HOBBIES, 1, 4), "languages": several(pools.LANGUAGES, 1, 3),
    "work_history": work_history, "work history": work_history, "experience": integer(0, 30), "bio": biography,
    "married": boolean, "is_student": boolean, "children": children, "pet": maybe_null(pet), "birth_date": date,
    "height": decimal(1.5, 2.0, 2), "weight": decimal(45, 110), "nationality": from_pool(pools.COUNTRIES),
    # Books and films.
    "publication_year": integer(1850, 2025), "year": integer(1950, 2026), "genre": from_pool(pools.GENRES),
    "genres": several(pools.GENRES, 1, 3), "pages": integer(80, 900), "isbn": isbn, "publisher": from_pool(pools.PUBLISHERS),
    "language": from_pool(pools.LANGUAGES), "summary": summary, "description": summary, "rating": decimal(1, 10),
    "duration_minutes": integer(20, 200), "cast": lambda rng: [full_name(rng) for _ in range(rng.randint(1, 4))],
    "awards": lambda rng: some(rng, ["Best Picture", "Best Novel", "Golden Pen", "Audience Prize"], 0, 2),
    # Things and orders.
    "id": lambda rng: rng.choice([rng.randint(1, 99999), uuid4(rng)]), "uuid": uuid4, "sku": sku, "price": price,
    "product": from_pool(pools.PRODUCTS), "product_name": from_pool(pools.PRODUCTS), "brand": from_pool(pools.BRANDS),
    "category": from_pool(pools.PRODUCT_CATEGORIES), "currency": labels("USD", "EUR", "GBP", "JPY"), "stock": integer(0, 500),
    "in_stock": boolean, "available": boolean, "color": from_pool(pools.COLORS), "colors": several(pools.COLORS, 1, 3),
    "size": labels("S", "M", "L", "XL"), "quantity": integer(1, 12), "discount": maybe_null(decimal(0, 0.5, 2), 0.4),
    "order_id": lambda rng: rng.choice([f"ORD-{rng.randint(1000, 99999)}", uuid4(rng), rng.randint(1000, 99999)]),
    "items": line_items, "total": price, "amount": price, "paid": boolean, "tax": decimal(0, 40, 2),
    "status": labels("pending", "active", "shipped", "delivered", "cancelled", "open", "closed"),
    "payment_method": labels("credit_card", "paypal", "bank_transfer", "cash"), "shipping_address": address,
    # Places, dates, weather.
    "address": address, "city": from_pool(pools.CITIES), "country": from_pool(pools.COUNTRIES),
    "country_code": from_pool(pools.COUNTRY_CODES), "street": lambda rng: f"{rng.randint(1, 250)} {pick(rng, pools.STREETS)}",
    "postal_code": lambda rng: f"{rng.randint(10000, 99999)}", "location": from_pool(pools.CITIES), "coordinates": coordinates,
    "population": integer(1000, 20000000), "date": date, "time": clock_time, "start_time": clock_time, "end_time": clock_time,
    "created_at": date_time, "updated_at": maybe_null(date_time), "timestamp": date_time, "due_date": maybe_null(date),
    "temperature": decimal(-15, 38), "humidity": integer(10, 100), "wind_speed": decimal(0, 90),
    "condition": from_pool(pools.CONDITIONS), "unit": labels("celsius", "fahrenheit"), "forecast": forecast,
    # Recipes.
    "dish": from_pool(pools.DISHES), "servings": integer(1, 8), "prep_time": integer(5, 90), "ingredients": ingredients,
    "steps": several(pools.RECIPE_STEPS, 2, 4), "vegetarian": boolean, "calories": integer(80, 900),
    "difficulty": labels("easy", "medium", "hard"),
    # Events, tickets, the web.
    "event": from_pool(pools.EVENTS), "attendees": attendees, "online": boolean, "capacity": integer(10, 500),
    "subject": from_pool(pools.TICKET_SUBJECTS), "priority": labels("low", "medium", "high", "urgent"),
    "tags": several(pools.TAGS, 0, 4), "url": url, "website": maybe_null(url), "message": note, "notes": maybe_null(note, 0.4),
    "comment": note, "count": integer(0, 100), "score": decimal(0, 1, 2), "confidence": decimal(0, 1, 2), "active": boolean,
    "verified": boolean, "version": lambda rng: f"{rng.randint(0, 9)}.{rng.randint(0, 20)}.{rng.randint(0, 9)}",
    "label": labels("positive", "negative", "neutral"), "values": lambda rng: [rng.randint(0, 100) for _ in range(rng.randint(1, 6))],
    "matrix": lambda rng: [[rng.randint(0, 9) for _ in range(3)] for _ in range(rng.randint(2, 3))],
    "host": lambda rng: f"{rng.randint(1, 254)}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}",
    "port": integer(1, 65535), "enabled": boolean, "species": from_pool(pools.ANIMALS), "answer": boolean,
}
