"""Columns of the exports and data sets that people have, and columns that only look like them."""

from __future__ import annotations

import pytest

from sentir.io.column_names import LABEL_NAMES, TEXT_NAMES, match_column, nearest_column
from sentir.io.columns import Columns

#: By source: all columns, those of the text, and that of the label.
EXPORTS = {
    "Trustpilot": (
        "Review Id,Review Created (UTC),Review Title,Review Content,Review Stars,Domain Url,Tags",
        ("Review Title", "Review Content"),
        "Review Stars",
    ),
    "Judge.me": (
        "title,body,rating,review_date,source,curated,reviewer_name,product_id,reply,reply_date",
        ("title", "body"),
        "rating",
    ),
    "Shopify Product Reviews": (
        "product_handle,state,rating,title,author,email,location,body,reply,created_at",
        ("title", "body"),
        "rating",
    ),
    "Google Play": (
        "Package Name,App Version Name,Reviewer Language,Review Submit Date and Time,Star Rating,"
        "Review Title,Review Text,Developer Reply Text,Review Link",
        ("Review Title", "Review Text"),
        "Star Rating",
    ),
    "Google Play, scraped": (
        "reviewId,userName,userImage,content,score,thumbsUpCount,at,replyContent",
        ("content",),
        "score",
    ),
    "App Store": (
        "Date,App Name,Version,Rating,Title,Review,Author,Developer Response",
        ("Title", "Review"),
        "Rating",
    ),
    "TripAdvisor": (
        "id,lang,published_date,rating,helpful_votes,trip_type,travel_date,text,title",
        ("title", "text"),
        "rating",
    ),
    "Amazon to 2015": (
        "marketplace,customer_id,review_id,product_id,product_title,star_rating,helpful_votes,"
        "total_votes,vine,review_headline,review_body,review_date",
        ("review_headline", "review_body"),
        "star_rating",
    ),
    "Amazon 2014 and 2018": (
        "reviewerID,asin,reviewerName,helpful,reviewText,overall,summary,unixReviewTime",
        ("summary", "reviewText"),
        "overall",
    ),
    "Amazon 2023": (
        "rating,title,text,images,asin,parent_asin,user_id,timestamp,helpful_vote",
        ("title", "text"),
        "rating",
    ),
    "Amazon of SNAP": (
        "product/productId,review/userId,review/helpfulness,review/score,review/summary,review/text",
        ("review/summary", "review/text"),
        "review/score",
    ),
    "Datafiniti": (
        "id,name,reviews.date,reviews.numHelpful,reviews.rating,reviews.text,reviews.title",
        ("reviews.title", "reviews.text"),
        "reviews.rating",
    ),
    "Yelp": (
        "review_id,user_id,business_id,stars,useful,funny,cool,text,date",
        ("text",),
        "stars",
    ),
    "IMDB": ("review,sentiment", ("review",), "sentiment"),
    "IMDB, scraped": (
        "review_id,reviewer,movie,rating,review_summary,review_date,review_detail,helpful",
        ("review_summary", "review_detail"),
        "rating",
    ),
    "Spanish": ("ID,Título,Reseña,Calificación", ("Título", "Reseña"), "Calificación"),
    "Spanish, in words": (
        "Fecha,TÍTULO DE LA OPINIÓN,Comentario,Número de estrellas",
        ("TÍTULO DE LA OPINIÓN", "Comentario"),
        "Número de estrellas",
    ),
    "Spanish, plain": ("opinion,puntuacion", ("opinion",), "puntuacion"),
    "Spanish, stars": ("comentarios,ESTRELLAS", ("comentarios",), "ESTRELLAS"),
    "Spanish, value": ("texto_reseña,valoración", ("texto_reseña",), "valoración"),
}


@pytest.mark.parametrize("source", EXPORTS)
def test_columns_of_exports(source: str) -> None:
    names, text, label = EXPORTS[source]
    for variant in (names, names.upper(), names.replace("_", " ")):
        columns = Columns.find(variant.split(","))
        expected = Columns.find(variant.split(","), text=text, label=label)
        assert columns == expected
        assert not columns.doubts


@pytest.mark.parametrize(
    ("names", "near"),
    [
        ("id,rating_count,review_id,helpful_votes,label_id", None),
        ("id,ratingCount,labelId,average rating", None),
        ("id,airline_sentiment,sentiment_confidence", "airline_sentiment"),
        ("id,raiting", "raiting"),
        ("rating_count,Stras", "Stras"),
        ("puntuación media,puntuacion_total", "puntuación media"),
        ("a,b", None),
    ],
)
def test_the_nearest_label(names: str, near: str | None) -> None:
    assert nearest_column(names.split(","), LABEL_NAMES) == near


def test_the_nearest_text() -> None:
    assert nearest_column(["id", "revew", "note"], TEXT_NAMES) == "revew"
    assert nearest_column(["review_id", "reply text", "customer_review"], TEXT_NAMES) == (
        "customer_review"
    )


def test_names_that_an_option_gives() -> None:
    names = ["Review Text", "review_text", "Título", "a", "---"]
    assert match_column("Review Text", names) == "Review Text"
    assert match_column("review-text", names) is None  # which of two?
    assert match_column("titulo", names) == "Título"
    assert match_column("b", names) is None
    assert match_column("...", names) is None
