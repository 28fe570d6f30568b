// What is posted to chat services, in the types that the services publish for those who write programs for them.
// Around them stands what only their documentation says: which fields a request has.
import type { IAdaptiveCard } from '@microsoft/teams.cards';
import type { KnownBlock, MessageAttachment as SlackAttachment } from '@slack/types';
import type { MessageAttachment } from '@mattermost/types/message_attachments';
import type { Post } from '@mattermost/types/posts';
import type { chat_v1 } from '@googleapis/chat';

export type slack = {
  channel?: string;
  thread_ts?: string;
  text: string;
  blocks: KnownBlock[];
  attachments?: SlackAttachment[];
  unfurl_links: boolean;
  unfurl_media: boolean;
};
export type teams = {
  type: 'message';
  summary: string;
  attachments: {
    contentType: 'application/vnd.microsoft.card.adaptive';
    contentUrl: null;
    content: IAdaptiveCard;
  }[];
};
export type google_chat = chat_v1.Schema$Message;
export type mattermost = Partial<Pick<Post, 'channel_id' | 'message' | 'root_id' | 'file_ids' | 'pending_post_id'>>;
export type mattermost_webhook = { text: string; attachments?: MessageAttachment[] };
