"""The rival of `crawl.py`: a bare Scrapy spider over the same pages, with the same selectors and as many items."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response


class PageRival(scrapy.Spider):
    """Index, articles, threads."""

    name = "page"
    count = 0

    def parse(self, response: Response) -> Iterator[Any]:
        """Follow the links of an index page."""
        links = response.css("article h2 a, article h3 a, .entry-title a").xpath("@href").getall()
        for link in links:
            yield response.follow(link, self.parse_article)
        following = response.css("a.next, a[rel=next]").xpath("@href").get()
        if following:
            yield response.follow(following, self.parse)

    def parse_article(self, response: Response) -> Iterator[dict[str, Any]]:
        """Yield the article and its comments."""
        self.count += 1
        yield {
            "url": response.url,
            "title": response.css("h1::text").get(),
            "date": response.css("article time::attr(datetime)").get(),
            "text": "\n".join(response.css("article .entry-content ::text").getall()),
        }
        for item in response.css("li.comment"):
            self.count += 1
            yield {
                "id": item.attrib["id"],
                "author": item.css("cite.fn::text, .comment-author .fn::text").get(),
                "date": item.css("time::attr(datetime)").get(),
                "text": "\n".join(item.css(".comment-content ::text").getall()),
            }
        response.css(".comment-navigation a.next, a.next-comments").xpath("@href").get()


class WordPressRival(scrapy.Spider):
    """Pages of the API."""

    name = "wordpress"
    count = 0

    def parse(self, response: Response, page: int = 1) -> Iterator[Any]:
        """Yield the rows of a page and ask for the next one."""
        for row in json.loads(response.body):
            self.count += 1
            text = "\n".join(scrapy.Selector(text=row["content"]["rendered"]).css("::text").getall())
            names = ("id", "post", "parent", "author_name", "date_gmt", "link")
            yield {**{name: row[name] for name in names}, "text": text}
        if page < int(response.headers["X-WP-TotalPages"]):
            address = response.url.replace(f"&page={page}", f"&page={page + 1}")
            yield scrapy.Request(address, self.parse, cb_kwargs={"page": page + 1})


def main() -> None:
    """Crawl; write how many items there were."""
    platform, pages, port, count = sys.argv[1:]
    start = "/" if platform == "page" else "/wp-json/wp/v2/comments?per_page=100&page=1"
    spider = PageRival if platform == "page" else WordPressRival
    settings = {
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "CONCURRENT_REQUESTS": 1,
        "DOWNLOAD_DELAY": 0,
        "ROBOTSTXT_OBEY": False,
        "TELNETCONSOLE_ENABLED": False,
        "LOG_LEVEL": "WARNING",
        "TWISTED_DNS_RESOLVER": "collectors.network.TableResolver",
        "ESCUCHA_HOSTS": {"*.test": f"127.0.0.1:{port}"},
    }
    process = CrawlerProcess(settings)
    crawler = process.create_crawler(spider)
    process.crawl(crawler, start_urls=[f"http://p{pages}.test{start}"])
    process.start()
    if crawler.spider is None:
        raise RuntimeError("the rival did not start")
    Path(count).write_text(str(crawler.spider.count), encoding="ascii")


if __name__ == "__main__":
    main()
