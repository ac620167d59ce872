"""The topic tree for reading: whole, one node with its neighbours, and how many entries each holds for a reader."""

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.domain.actor import Actor
from catalog.domain.errors import NotFoundError
from catalog.domain.permissions import audiences_of
from catalog.models.topic import Topic
from index import IndexUnavailable, Query, SearchIndex


@dataclass(slots=True)
class TopicNode:
    """A topic with its subtopics and the number of entries the reader may see in it or below; None if unknown."""

    topic: Topic
    count: int | None
    children: list["TopicNode"] = field(default_factory=list)


def facet_counts(index: SearchIndex, actor: Actor, facet: str) -> dict[str, int] | None:
    """How many readable entries each value of a facet has; None while the index is away."""
    try:
        return index.search(Query(audiences=audiences_of(actor), facets=(facet,), limit=0)).facets[facet]
    except IndexUnavailable:
        return None


def tree(session: Session, index: SearchIndex, actor: Actor) -> list[TopicNode]:
    """All topics from the first level down, in their curated order, with counts."""
    counts = facet_counts(index, actor, "topic")
    topics = list(session.scalars(select(Topic).order_by(Topic.position, Topic.id)))
    nodes = {topic.id: TopicNode(topic, None if counts is None else counts.get(topic.slug, 0)) for topic in topics}
    roots: list[TopicNode] = []
    for topic in topics:
        siblings = nodes[topic.parent_id].children if topic.parent_id in nodes else roots
        siblings.append(nodes[topic.id])
    return roots


def find(nodes: list[TopicNode], slug: str) -> list[TopicNode]:
    """The way from the first level to the topic with this slug, ending with it; raises NotFoundError for none such."""

    def way(among: list[TopicNode]) -> list[TopicNode]:
        for node in among:
            if node.topic.slug == slug:
                return [node]
            below = way(node.children)
            if below:
                return [node, *below]
        return []

    found = way(nodes)
    if not found:
        raise NotFoundError
    return found
